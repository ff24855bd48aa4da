"""The OPC UA source: find the variables, subscribe, hand over, acknowledge, and go on after a lost link."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final

import numpy as np
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.conditions.follow import Following
from shopfloor.gateway.opcua.flow import Flow
from shopfloor.gateway.opcua.history import History
from shopfloor.gateway.opcua.items import Item, find
from shopfloor.gateway.opcua.link import explained
from shopfloor.gateway.opcua.marks import Gap, Marks
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.progress import Progress
from shopfloor.gateway.opcua.publish import Publisher
from shopfloor.gateway.opcua.resume import Kept, fingerprint, forget, transferred
from shopfloor.gateway.opcua.security import Security
from shopfloor.gateway.opcua.session import Link, linked
from shopfloor.gateway.opcua.subscribe import subscribe
from shopfloor.gateway.opcua.verify import SERVER_UNKNOWN
from shopfloor.gateway.opcua.wire import Notification
from shopfloor.gateway.opcua.write import Writer
from shopfloor.plant import Batch, SourceLost
from shopfloor.plant.condition import Answer
from shopfloor.plant.contracts import Argument, Outcome, Setpoint
from shopfloor.plant.counted import counted

_logger = logging.getLogger(__name__)
_SOON_S: Final = 0.4


@dataclass(slots=True)
class OpcuaSource:
    """Reads the variables of one server.

    `backfilled` counts the values that were read from the server's history after an outage, `gaps` the windows of
    variables that it could not fill. `retry_s`: a server that cannot be reached is tried again so soon; None leaves
    it to the pipeline.
    """

    name: str
    options: OpcuaOptions
    marks: Marks = field(default_factory=Marks)
    backfilled: int = 0
    gaps: int = 0
    security: Security | None = None
    progress: Progress = field(default_factory=Progress)
    malformed: int = 0
    malformed_sentence: str = ""
    retry_s: float | None = None
    overlaps: ClassVar[bool] = True
    _retired: bool = False
    _lacking: str = ""
    _hole: str = ""
    _kept: Kept | None = None
    _publisher: Publisher | None = None
    _writer: Writer = field(init=False)
    _conditions: Following | None = None

    def __post_init__(self) -> None:
        self._writer = Writer(self.options)
        if self.options.conditions is not None:
            self._conditions = Following(self.name, self.options)

    @property
    def url(self) -> str:
        """Where the values come from."""
        return self.options.url

    @property
    def detail(self) -> str:
        """What the server does not have, and what an outage has taken."""
        tags = {gap.tag for gap in self.marks.gaps}
        waiting = counted(len(tags), "variable")
        filling = f"What an outage has taken of {waiting} is read from the server's history." * bool(tags)
        conditions = self._conditions.detail if self._conditions else ""
        return " ".join(filter(None, [self._lacking, filling, self._hole, conditions]))

    def retire(self) -> None:
        """Ending is for good from now on: the server need not keep its session for another run."""
        self._retired = True

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        """Connect and go on where the last link ended, or find and subscribe; `SourceLost` says why it cannot be."""
        kept = self._take_up()
        with self._retrying():
            async with linked(self.options, self.security, kept.station.ticket if kept else None) as link:
                with explained(self.url):
                    flow = await self._resume(link, kept) or await self._begin(link)
                self._publisher = flow.publisher
                nodes = {item.tag: item.node for item in flow.columns.items.values()}
                try:
                    async with flow.running(), aclosing(self._batches(flow, kept)) as batches:
                        with self._writer.over(link.session, nodes):
                            yield batches
                except SourceLost:
                    link.stay = True
                    raise
                finally:
                    self._leave(link, flow)

    async def caught_up(self) -> None:
        """Wait until all that the server had before this moment is committed; `SourceLost` when the link is gone."""
        if self._publisher is None:
            raise SourceLost(f"{self.url} is not connected.")
        with explained(self.url):
            await self._publisher.caught_up()

    @property
    def connected(self) -> bool:
        """Whether there is a session over which setpoints can go."""
        return self._writer.connected

    @property
    def methods(self) -> dict[str, tuple[Argument, ...]]:
        """The arguments of each method that may be called, by its tag."""
        return self._writer.methods

    def can_write(self, tag: str) -> bool:
        """Whether the tag has a variable or a method at the server."""
        return self._writer.can_write(tag)

    async def apply(self, setpoint: Setpoint) -> Outcome:
        """Write or call over the open session; `SourceLost` when there is none."""
        return await self._writer.apply(setpoint)

    async def answer(self, answer: Answer) -> Outcome:
        """Answer the device about one of its conditions; `SourceLost` when there is no session."""
        if self._conditions is None:
            raise SourceLost(
                f"The source {self.name!r} follows no conditions: say 'conditions: true' in the plant file."
            )
        return await self._conditions.answer(answer)

    def _take_up(self) -> Kept | None:
        kept = self._kept or (Kept(self.marks.station) if self.marks.station else None)
        return None if kept is None or kept.expired else kept

    @contextmanager
    def _retrying(self) -> Iterator[None]:
        """A server that refuses is left alone for longer than one that is not reached, or that a person may trust."""
        self.retry_s = None
        try:
            yield
        except SourceLost as lost:
            soon = isinstance(lost.__cause__, OSError) or getattr(lost, "cause", "") == SERVER_UNKNOWN
            self.retry_s = _SOON_S if soon else None
            raise

    async def _resume(self, link: Link, kept: Kept | None) -> Flow | None:
        """The subscriptions of the last link, in the same session or transferred; None when they are gone."""
        if kept is None:
            return None
        numbers = [number for number, _ in kept.station.subscriptions]
        columns = kept.columns or await self._known(link, kept)
        if columns is not None and (link.resumed or await transferred(link, numbers)):
            publisher = Publisher(self.url, link.session, kept.subscriptions(), dict(kept.station.following))
            publisher.received, publisher.acknowledgements = kept.received, kept.acknowledgements
            if await publisher.recover():
                flow = self._flow(link, publisher, columns)
                if self._conditions:
                    events, monitored = kept.station.events, kept.station.notifiers
                    await self._conditions.resume(link.session, columns.items, events, monitored)
                flow.resume(np.zeros_like(self.marks.counted) if kept.columns else self.marks.counted.copy())
                return flow
        _logger.warning("%s: %s no longer knows the subscriptions: they are made anew.", self.name, self.url)
        await forget(link, numbers)
        return None

    async def _known(self, link: Link, kept: Kept) -> Columns | None:
        """The items of a run before this one, if they are still the same."""
        items = await self._find(link)
        notifiers = self._conditions.notifiers if self._conditions else ()
        return self._columns(items) if fingerprint(items, notifiers) == kept.station.items else None

    def _columns(self, items: dict[int, Item]) -> Columns:
        return Columns(items, self.malformed, self.malformed_sentence)

    async def _find(self, link: Link) -> dict[int, Item]:
        with self.progress.shown() as tell:
            found, missing = await find(link.session, self.options, tell)
        self._lack(missing)
        return dict(enumerate(found, 1))

    async def _begin(self, link: Link) -> Flow:
        with self.progress.shown() as tell:
            found, missing = await find(link.session, self.options, tell)
            items: dict[int, Item] = dict(enumerate(found, 1))
            subscriptions = await subscribe(link.session, self.options, items, tell)
            if self._conditions:
                subscriptions += await self._conditions.subscribe(link.session, items)
        self._lack(missing + [tag for one in subscriptions for tag in one.refused])
        publisher = Publisher(self.url, link.session, subscriptions)
        return self._flow(link, publisher, self._columns(items))

    def _lack(self, names: list[str]) -> None:
        gone = counted(len(names), "variable is", "variables are")
        lacking = f"{gone} not there, the first is {names[0]}." if names else ""
        if lacking and lacking != self._lacking:
            _logger.warning("%s: %s", self.name, lacking)
        self._lacking = lacking

    def _flow(self, link: Link, publisher: Publisher, columns: Columns) -> Flow:
        self.marks.follow(item.tag for item in columns.items.values())
        history = History(link.session, publisher, columns.items, self.marks)
        ticket = link.ticket()
        return Flow(
            publisher, columns, history, self.marks, self.options.queue_size, ticket, conditions=self._conditions
        )

    async def _batches(self, flow: Flow, kept: Kept | None) -> AsyncGenerator[Batch, None]:
        if not flow.resumed:
            for batch in flow.begin(kept):
                yield batch
            if old := await self._told(kept.received if kept else ()):
                yield old
        while True:
            with explained(self.url):
                taken = await flow.publisher.take()
            if flow.publisher.hole and self._conditions:
                self._conditions.missed()
            for batch in flow.live(taken, await self._told(taken)):
                yield batch
            flow.committed(taken)
            self.malformed, self.malformed_sentence = flow.columns.malformed, flow.columns.malformed_sentence
            with explained(self.url):
                page = flow.history.page()
            if page is not None:
                self.marks.late = True
                try:
                    for batch in flow.late(page):
                        yield batch
                finally:
                    self.marks.late = False
                self.backfilled += page.values
                flow.history.close(page.closed)
            if not self.marks.gaps:
                self._lose(flow.history.lacking)

    async def _told(self, notifications: Sequence[Notification]) -> Batch | None:
        """What they say of conditions."""
        if self._conditions is None:
            return None
        with explained(self.url):
            return await self._conditions.read(notifications)

    def _lose(self, lacking: list[Gap]) -> None:
        """Say what nothing can bring back, in one sentence once every gap of an outage has been looked at."""
        if not lacking:
            return
        self.gaps += len(lacking)
        having = counted(len({gap.tag for gap in lacking}), "variable has", "variables have")
        self._hole = (
            f"{having} a hole between {_clock(min(gap.after for gap in lacking))} and"
            f" {_clock(max(gap.before for gap in lacking))} that the server's history does not fill, the first is"
            f" {lacking[0].tag}: let the server keep history, or give the source a larger 'queue'."
        )
        _logger.warning("%s: %s", self.name, self._hole)
        lacking.clear()

    def _leave(self, link: Link, flow: Flow) -> None:
        """Keep what the next link needs; the session stays on the server when somebody can come back to it."""
        self._publisher = None
        self._lose(flow.history.lacking)
        going = not flow.publisher.ended
        link.stay = going and not self._retired and (link.stay or self.marks.used)
        self._kept = flow.kept() if link.stay else None
        self.marks.place(flow.station() if link.stay else None)


def _clock(nanoseconds: int) -> str:
    return f"{datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
