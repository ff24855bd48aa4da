"""The last value of every tag: what a namespace shows, and which of it has not been published yet."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from shopfloor.plant import Batch, quality

Last = tuple[int, float | int | str, int]
"""Time (UTC ns), value, StatusCode."""


@dataclass(slots=True)
class Latest:
    """Takes batches, gives what is new. A value that a newer one of its tag overtakes is counted in `replaced`.

    >>> from shopfloor.plant import Sample
    >>> latest = Latest()
    >>> latest.take(Batch.of([Sample("a/b/c/d/e/t", 2, 7.0), Sample("a/b/c/d/e/t", 1, 6.0)]))
    >>> latest.fresh(), latest.known["a/b/c/d/e/t"]
    (['a/b/c/d/e/t'], (2, 7.0, 0))
    """

    known: dict[str, Last] = field(default_factory=dict)
    replaced: int = 0
    _fresh: dict[str, None] = field(default_factory=dict)

    def take(self, batch: Batch) -> None:
        """Note the newest value of each tag; one that is older than what is known is history and is left out."""
        order = np.argsort(batch.time, kind="stable")
        newest = np.full(len(batch.names), -1, np.int64)
        newest[batch.tag[order]] = order
        rows = newest[newest >= 0]
        columns = (batch.tag[rows], batch.time[rows], batch.value[rows], batch.quality[rows])
        for tag, time, value, status in zip(*(column.tolist() for column in columns), strict=True):
            self._note(batch.names[tag], (time, value, status))

    def _note(self, name: str, last: Last) -> None:
        if name in self.known and last[0] < self.known[name][0]:
            return
        self.replaced += name in self._fresh
        self.known[name] = last
        self._fresh[name] = None

    def fresh(self) -> list[str]:
        """The tags with a value that has not been published, and forget that; the longest waiting first."""
        names = list(self._fresh)
        self._fresh.clear()
        return names

    def again(self, names: Sequence[str]) -> None:
        """These have to be published (once more)."""
        self._fresh.update(dict.fromkeys(names))

    @property
    def waiting(self) -> int:
        """How many tags have a value that has not been published."""
        return len(self._fresh)


def payload(last: Last, unit: str) -> bytes:
    """The JSON of one value: value (null for NaN), time in ms since 1970, quality, unit.

    >>> payload((1_700_000_000_123_456_789, 4.5, 0), "kW")
    b'{"value": 4.5, "time": 1700000000123, "quality": "Good", "unit": "kW"}'
    """
    time, value, status = last
    plain = None if isinstance(value, float) and not math.isfinite(value) else value
    word = quality.name(status)
    said = word if quality.of_name(word) is not None else status
    body = {"value": plain, "time": time // 1_000_000, "quality": said, "unit": unit}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
