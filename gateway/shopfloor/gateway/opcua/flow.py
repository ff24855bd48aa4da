"""One link at work: what its notifications hold, what they show to be missing, and what history brings of that."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.opcua.columns import Columns
from shopfloor.gateway.opcua.conditions.follow import Following
from shopfloor.gateway.opcua.history import History, Page
from shopfloor.gateway.opcua.marks import Gap, Marks
from shopfloor.gateway.opcua.publish import Publisher, after
from shopfloor.gateway.opcua.resume import Kept, Station, fingerprint
from shopfloor.gateway.opcua.session import Ticket
from shopfloor.gateway.opcua.wire import Notification
from shopfloor.plant import Batch

_OVERFLOW: Final = 0x0000_0480
"""InfoType DataValue with the overflow bit: the queue of the item was full, and values before this one are gone."""
_WAITING: Final = 0x8032_0000


@dataclass(slots=True)
class Flow:
    """The values of one link. `queue` is how many the server keeps of an item; `skip` what a crash had committed."""

    publisher: Publisher
    columns: Columns
    history: History
    marks: Marks
    queue: int
    ticket: Ticket
    skip: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    conditions: Following | None = None
    resumed: bool = False
    _expected: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    _fresh: bool = True
    _items: str = ""

    def __post_init__(self) -> None:
        self._items = fingerprint(self.columns.items, self.conditions.notifiers if self.conditions else ())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish, read history and have conditions told anew until the block is left."""
        refreshing = self.conditions.running() if self.conditions else nullcontext()
        async with self.publisher.running(), self.history.running(), refreshing:
            yield

    def begin(self, kept: Kept | None) -> Iterator[Batch]:
        """Subscribed anew: everything may be missing since the marks; first comes what an old link had received."""
        self.marks.stand(self.station())
        due: dict[int, int] = dict(kept.station.following) if kept else {}
        for one in kept.received if kept and kept.columns else ():
            if one.sequence != due.get(one.subscription, one.sequence):
                self.expect()
            due[one.subscription] = after(one.sequence)
            yield from self._read(kept.columns, [one])  # type: ignore[union-attr, arg-type]
        self.expect()

    def resume(self, skip: NDArray[np.int64]) -> None:
        """The subscriptions live on; the first `skip` rows of each variable were committed before a crash."""
        self.marks.place(self.station())
        self.skip = skip
        self.resumed = True

    def station(self, taken: Sequence[Notification] = ()) -> Station:
        """Where this source stands once `taken` is committed: all before it is."""
        subscriptions = tuple((one.id, one.keep_alive) for one in self.publisher.subscriptions)
        due = self.publisher.following | {one.subscription: after(one.sequence) for one in taken}
        station = Station(self.ticket, subscriptions, due, self._items)
        if self.conditions is None:
            return station
        return replace(station, events=self.conditions.subscription, notifiers=self.conditions.monitored)

    def kept(self) -> Kept:
        """What the next link needs of this one."""
        received = [one for one in self.publisher.received if not one.keep_alive]
        return Kept(self.station(), self.columns, received, self.publisher.acknowledgements)

    def expect(self) -> None:
        """Something is missing before the next value of every variable that has a mark."""
        self._expected = self.marks.time > 0

    def live(self, notifications: Sequence[Notification], told: Batch | None = None) -> Iterator[Batch]:
        """What the notifications hold, `told` is what their events say of conditions.

        Gaps before them are noted first, to be committed with them.
        """
        if self.publisher.hole:
            self.expect()
        batches = [*self._read(self.columns, notifications), *([told] if told is not None else [])]
        self._fresh = self.publisher.singly > 0
        for place, batch in enumerate(batches, 1):
            if place == len(batches):
                self.marks.complete(len(batch), self.station(notifications))
            yield batch

    def late(self, page: Page) -> Iterator[Batch]:
        """What a page of history holds."""
        return self.columns.batches([page.body], time.time_ns())

    def committed(self, notifications: Sequence[Notification]) -> None:
        """All that these hold is safe."""
        self.publisher.handed_over(notifications)
        if notifications:
            self.marks.stand(self.station())

    def _read(self, columns: Columns, notifications: Sequence[Notification]) -> Iterator[Batch]:
        bodies = [body for one in notifications for body in one.bodies]
        for batch in list(columns.batches(bodies, time.time_ns())):
            checked = self._checked(batch)
            if len(checked):
                yield checked

    def _checked(self, batch: Batch) -> Batch:
        flagged = (batch.quality & _OVERFLOW) == _OVERFLOW
        if not (self._fresh or self._expected.any() or flagged.any()):
            return batch
        if self._fresh:
            if self.skip.any():
                batch = self.marks.skip(batch, self.skip)
            batch = batch.take(~self.marks.repeats(batch))
            flagged = (batch.quality & _OVERFLOW) == _OVERFLOW
        self._note(batch, flagged)
        return batch

    def _note(self, batch: Batch, flagged: NDArray[np.bool_]) -> None:
        """Open the gaps that this batch shows: before first values, before overflows, before full queues.

        A queue that comes back full may have overflowed, as not every server says so. One that says it of another
        variable of the batch would have said it here: that queue was full to the brim, and nothing is missing. When no
        variable is flagged the two cannot be told apart, and a gap that holds nothing costs one read of history.
        """
        rows = self.marks.rows(batch)
        order = np.argsort(rows, kind="stable")
        order = order[(rows[order] >= 0) & (batch.quality[order] != _WAITING)]
        if not len(order):
            return
        row, moment = rows[order], batch.time[order]
        first = np.ones(len(order), bool)
        first[1:] = row[1:] != row[:-1]
        before = np.where(first, self.marks.time[row], np.roll(moment, 1))
        missing = flagged[order]
        if self._expected.any():
            missing |= first & self._expected[row]
            self._expected[row] = False
        if self._fresh and self.resumed and not flagged.any():
            missing |= first & (np.bincount(row)[row] >= self.queue)
        for index in np.flatnonzero(missing & (before > 0) & (before < moment)).tolist():
            self._open(Gap(self.marks.names[row[index]], int(before[index]), int(moment[index])))

    def _open(self, gap: Gap) -> None:
        if not self.marks.open(gap):
            self.history.lacking.append(gap)
        self.history.look()
