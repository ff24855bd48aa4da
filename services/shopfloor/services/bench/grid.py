"""The grid of source times: which tick a value belongs to, and what of it is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Grid:
    """Ticks every `period` ns from `start` (UTC ns).

    >>> Grid(1_000, 10).time(3)
    1030
    """

    start: int
    period: int

    @classmethod
    def now(cls, hz: float) -> Self:
        """A grid that begins at the next full second, so that every time is a whole ms as JavaScript needs it."""
        return cls((time.time_ns() // 1_000_000_000 + 1) * 1_000_000_000, round(1e9 / hz))

    def time(self, tick: int) -> int:
        """When the tick is due, UTC ns."""
        return self.start + tick * self.period

    def ticks(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The tick of each time; times before the grid are negative."""
        return (times - self.start + self.period // 2) // self.period


@dataclass(frozen=True, slots=True)
class Account:
    """Values that came, came twice, and are missing between the first and the last of their tag."""

    values: int
    gaps: int
    duplicates: int


def account(tags: NDArray[Any], ticks: NDArray[np.int64]) -> Account:
    """Count by tag and tick.

    >>> account(np.array([0, 0, 0, 1, 1]), np.array([5, 6, 8, 1, 1]))
    Account(values=5, gaps=1, duplicates=1)
    """
    if not len(ticks):
        return Account(0, 0, 0)
    order = np.lexsort((ticks, tags))
    tag, tick = tags[order], ticks[order]
    step = np.diff(tick)[np.diff(tag) == 0]
    return Account(len(ticks), int(np.maximum(step - 1, 0).sum()), int((step == 0).sum()))
