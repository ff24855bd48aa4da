"""One stream over its assets: the values that its next moments need, and the memory that goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import HOUR, SECOND, Ints
from shopfloor.models.streaming import Rows, Running, StreamSpec, good_columns, sampled
from shopfloor.services.brain.feed import HistoryReader, Tags
from shopfloor.services.brain.follow import joined

_STRETCH: Final = HOUR
_AT_ONCE: Final = 600
"""Moments that are judged in one tick."""
_EVERY: Final = 10
"""Seconds between two moments that are recorded, at least."""


@dataclass(slots=True, eq=False)
class Followed:
    """`upto` is the first moment (UTC ns) that was not judged; values before `cursor` have been read."""

    spec: StreamSpec
    assets: tuple[str, ...]
    upto: int
    cursor: int = 0
    running: Running | None = None
    held: dict[str, Tags] = field(default_factory=dict)
    newest: Rows | None = None
    """The newest moment that is recorded, for a version that comes between two of them."""

    def tags(self) -> list[str]:
        """The paths of all its tags."""
        return [f"{asset}/{tag}" for asset in self.assets for tag in self.spec.tags]

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
        running, held = Running.fresh(self.spec, len(self.assets), first), dict[str, Tags]()
        low, begin = self.spec.since(first), self.spec.begin_of(first)
        while low < first and not stop():
            high = min(low + _STRETCH, first)
            held = self._with(held, good_columns(reader.read(self.tags(), low, high)))
            before = self.spec.moments(max(low, begin), high)
            running.take(before, sampled(self.spec, [held[a] for a in self.assets], before))
            held, low = self._trimmed(held, high - 1), high
        if not stop():
            self.running, self.held, self.cursor = running, held or self._with({}, {}), first

    def take(self, columns: Mapping[str, Tags], moments: Ints) -> Rows:
        """The rows of moments [t] that were due, with good values from `cursor` on."""
        assert self.running is not None  # noqa: S101 (prepared before)
        last = int(moments[-1])
        mine = {a: {t: s.before(last + 1) for t, s in columns.get(a, {}).items()} for a in self.assets}
        held = self._with(self.held, mine)
        found = self.running.take(moments, sampled(self.spec, [held[a] for a in self.assets], moments))
        self.held, self.cursor, self.upto = self._trimmed(held, last), last + 1, last + 1
        kept = np.flatnonzero(self.recorded(moments))
        if len(kept):
            self.newest = Rows(*(getattr(found, key)[kept[-1:]] for key in ("time", "x", "known")))
        return found

    def recorded(self, moments: Ints) -> NDArray[np.bool_]:
        """Which moments [t] are recorded: all of them, of streams faster than that every ten seconds or so."""
        return np.asarray(moments // (self.spec.every * SECOND) % -(-_EVERY // self.spec.every) == 0)

    def newest_due(self, now: int) -> int:
        """The newest moment that is settled `now` and recorded: where a stream begins that nobody followed before."""
        width = -(-_EVERY // self.spec.every) * self.spec.every * SECOND
        return (now - self.spec.settle * SECOND) // width * width

    def _with(self, held: Mapping[str, Tags], new: Mapping[str, Tags]) -> dict[str, Tags]:
        return {a: joined(held.get(a, {}), _of(self.spec.tags, new.get(a, {}))) for a in self.assets}

    def _trimmed(self, held: Mapping[str, Tags], moment: int) -> dict[str, Tags]:
        return {a: {t: s.since(moment) for t, s in held[a].items()} for a in self.assets}


def _of(names: Sequence[str], tags: Tags) -> Tags:
    return {name: tags[name] for name in names if name in tags}
