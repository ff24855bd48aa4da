"""The features that live judging saw lately, thinned out: what drift is told from."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import DAY, MINUTE
from shopfloor.models.features import Matrix

STEP: Final = 10 * MINUTE
"""An asset's rows lie this far apart, and all of a step become one mean."""
ROWS: Final = 6_000
STEPS: Final = 14 * DAY // STEP
Floats = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Seen:
    """Rows of one description of assets: the newest [n, f], and the mean of each step [k, f] with its end (UTC ns)."""

    rows: deque[NDArray[np.float32]] = field(default_factory=lambda: deque(maxlen=ROWS))
    means: deque[Floats] = field(default_factory=lambda: deque(maxlen=STEPS))
    ends: deque[int] = field(default_factory=lambda: deque(maxlen=STEPS))
    since: int = 0
    _last: dict[str, int] = field(default_factory=dict)
    _open: list[NDArray[np.float32]] = field(default_factory=list)
    _step: int = 0

    def take(self, asset: str, time: int, x: NDArray[np.float32]) -> None:
        """Take in a row, unless the one before of this asset is too near."""
        if time - self._last.get(asset, -STEP) < STEP:
            return
        self._last[asset] = time
        self.since = self.since or time
        if time // STEP > self._step:
            self._close()
            self._step = time // STEP
        self.rows.append(x)
        self._open.append(x)

    def _close(self) -> None:
        if self._open:
            x = np.array(self._open, np.float64)
            known = np.isfinite(x)
            n = known.sum(axis=0)
            self.means.append(np.where(n > 0, np.where(known, x, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan))
            self.ends.append((self._step + 1) * STEP)
            self._open.clear()


@dataclass(slots=True, eq=False)
class Recent:
    """What was seen, by the way in which assets are described: `take` from the judging threads, `of` from any.

    >>> recent = Recent()
    >>> recent.take("pump", ["a", "b", "a"], [0, 0, MINUTE], np.ones((3, 2), np.float32))
    >>> recent.of("pump")[0].shape
    (2, 2)
    """

    _seen: dict[str, Seen] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, source: str, assets: Sequence[str], times: Sequence[int], x: Matrix) -> None:
        """Rows [n, f] of these assets at these moments (UTC ns)."""
        with self._lock:
            seen = self._seen.setdefault(source, Seen())
            for i, asset in enumerate(assets):
                seen.take(asset, times[i], x[i])

    def of(self, source: str) -> tuple[Matrix, Floats, list[int], int]:
        """The newest rows [n, f], the means [k, f] and ends of steps, and since when."""
        with self._lock:
            seen = self._seen.get(source, Seen())
            rows = np.array(seen.rows, np.float32) if seen.rows else np.empty((0, 0), np.float32)
            means = np.array(seen.means, np.float64) if seen.means else np.empty((0, 0))
            return rows, means, list(seen.ends), seen.since
