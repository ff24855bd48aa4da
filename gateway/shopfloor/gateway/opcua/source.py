"""The OPC UA source: find the variables, subscribe, hand over, acknowledge."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.items import Item, find
from shopfloor.gateway.opcua.link import connected, explained
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.progress import Progress
from shopfloor.gateway.opcua.publish import Publisher
from shopfloor.gateway.opcua.security import Security
from shopfloor.gateway.opcua.subscribe import subscribe
from shopfloor.gateway.opcua.write import Writer
from shopfloor.plant import Batch
from shopfloor.plant.contracts import Argument, Outcome, Setpoint

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class OpcuaSource:
    """Reads the variables of one server. `detail` says which of them it does not have."""

    name: str
    options: OpcuaOptions
    detail: str = ""
    security: Security | None = None
    progress: Progress = field(default_factory=Progress)
    malformed: int = 0
    malformed_sentence: str = ""
    overlaps: ClassVar[bool] = True
    _writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self._writer = Writer(self.options)

    @property
    def url(self) -> str:
        """Where the values come from."""
        return self.options.url

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        """Connect, find, subscribe and iterate; `SourceLost` says why the server could not be used."""
        async with connected(self.options, self.security) as session:
            with explained(self.url):
                publisher, columns = await self._subscribe(session)
            nodes = {item.tag: item.node for item in columns.items.values()}
            async with publisher.running(), aclosing(self._batches(publisher, columns)) as batches:
                with self._writer.over(session, nodes):
                    yield batches

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

    async def _subscribe(self, session: UaSession) -> tuple[Publisher, Columns]:
        with self.progress.shown() as tell:
            found, missing = await find(session, self.options, tell)
            items: dict[int, Item] = dict(enumerate(found, 1))
            subscriptions = await subscribe(session, self.options, items, tell)
        lacking = missing + [tag for one in subscriptions for tag in one.refused]
        detail = f"{len(lacking)} variables are not there, the first is {lacking[0]}." if lacking else ""
        if detail and detail != self.detail:
            _logger.warning("%s: %s", self.name, detail)
        self.detail = detail
        return Publisher(self.url, session, subscriptions), Columns(items, self.malformed, self.malformed_sentence)

    async def _batches(self, publisher: Publisher, columns: Columns) -> AsyncGenerator[Batch, None]:
        while True:
            with explained(self.url):
                notifications = await publisher.take()
            bodies = [body for one in notifications for body in one.bodies]
            decoded = list(columns.batches(bodies, time.time_ns()))
            self.malformed, self.malformed_sentence = columns.malformed, columns.malformed_sentence
            for batch in decoded:
                yield batch
            publisher.acknowledge(notifications)
