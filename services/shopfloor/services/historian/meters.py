"""Meters: how long the works of the store take, as histograms that only grow."""

from __future__ import annotations

import bisect
import threading
import time
from dataclasses import dataclass, field
from typing import Final

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the buckets in seconds; one more holds what took longer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts by bucket (each alone), how many in all, and their sum in seconds."""

    counts: tuple[int, ...]
    seconds: float

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)


class Meter:
    """Durations of one work. Thread-safe.

    >>> meter = Meter()
    >>> meter.add(0.02)
    >>> meter.read().count, meter.read().seconds
    (1, 0.02)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        with self._lock:
            self._counts[bisect.bisect_left(BOUNDS, seconds)] += 1
            self._seconds += seconds

    def since(self, began: float) -> None:
        """One more, which began at that `time.perf_counter()`."""
        self.add(time.perf_counter() - began)

    def read(self) -> Reading:
        """What was measured up to now."""
        with self._lock:
            return Reading(tuple(self._counts), self._seconds)


@dataclass(frozen=True, slots=True)
class Meters:
    """`append`: until a batch was durable, waiting included; `flush` and `compaction`: a memtable, a new segment."""

    append: Meter = field(default_factory=Meter)
    flush: Meter = field(default_factory=Meter)
    compaction: Meter = field(default_factory=Meter)
