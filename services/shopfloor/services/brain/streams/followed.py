"""One stream over its assets: the values that its next moments need, and the memory that goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import SECOND, Ints
from shopfloor.models.streaming import Rows, Running, StreamSpec
from shopfloor.services.brain.feed import HistoryReader, Tags
from shopfloor.services.brain.streams.values import Values, stretches

_AT_ONCE: Final = 600
"""Moments that are judged in one tick."""
_EVERY: Final = 10
"""Seconds between two moments that are recorded, at least."""


@dataclass(slots=True, eq=False)
class Followed:
    """`upto` is the first moment (UTC ns) that was not taken; versions met before have judged those before `judged`."""

    spec: StreamSpec
    assets: tuple[str, ...]
    upto: int
    judged: int = 0
    running: Running | None = None
    values: Values | None = None
    newest: Rows | None = None
    """The newest moment that is recorded, for a version that comes between two of them."""

    def wanted(self) -> Values:
        """What it needs to be read: tags, and from when on."""
        assert self.values is not None  # noqa: S101 (prepared before)
        return self.values

    def due(self, now: int) -> Ints:
        """The next moments that are settled `now` (UTC ns) and that the memory serves."""
        moments = self.spec.moments(self.upto, now - self.spec.settle * SECOND + 1)[:_AT_ONCE]
        return moments if self.running is None else moments[moments < self.running.until]

    def prepare(self, reader: HistoryReader, now: int, stop: Callable[[], bool]) -> None:
        """Begin the memory anew, from the store, where the next moment needs another one than there is."""
        moments = self.spec.moments(self.upto, now - self.spec.settle * SECOND + 1)[:1]
        if not len(moments) or (self.running is not None and moments[0] < self.running.until):
            return
        first = int(moments[0])
        running = Running.fresh(self.spec, len(self.assets), first)
        values = Values(self.spec, self.assets, self.spec.since(first))
        for before in stretches(self.spec.moments(self.spec.begin_of(first), first)):
            if stop():
                return
            running.take(before, values.read(reader, before))
        self.running, self.values = running, values

    def take(self, columns: Mapping[str, Tags], moments: Ints) -> Rows:
        """The rows of moments [t] that were due, with good values of its tags since the last ones."""
        assert self.running is not None  # noqa: S101 (prepared before)
        found = self.running.take(moments, self.wanted().given(columns, moments))
        self.upto = int(moments[-1]) + 1
        kept = np.flatnonzero(self.recorded(moments))
        if len(kept):
            self.newest = Rows(*(getattr(found, key)[kept[-1:]] for key in ("time", "x", "known")))
        return found

    def widened(self, assets: tuple[str, ...], now: int) -> Followed:
        """The same stream over other assets; a version that is new judges the newest recorded moment at once."""
        return Followed(self.spec, assets, min(self.upto, self.newest_due(now)), self.upto)

    def unjudged(self, rows: Rows) -> Rows:
        """Those rows that versions met before have not judged."""
        first = int(np.searchsorted(rows.time, self.judged))
        return Rows(rows.time[first:], rows.x[first:], rows.known[first:])

    def recorded(self, moments: Ints) -> NDArray[np.bool_]:
        """Which moments [t] are recorded: all of them, of streams faster than that every ten seconds or so."""
        return np.asarray(moments // (self.spec.every * SECOND) % -(-_EVERY // self.spec.every) == 0)

    def newest_due(self, now: int) -> int:
        """The newest moment that is settled `now` and recorded: where a stream begins that nobody followed before."""
        width = -(-_EVERY // self.spec.every) * self.spec.every * SECOND
        return (now - self.spec.settle * SECOND) // width * width
