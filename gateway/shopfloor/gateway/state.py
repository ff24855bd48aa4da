"""What a source is doing, as people see it on the connections page."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from shopfloor.plant import Batch, Kind
from shopfloor.plant.quality import severity

_AHEAD_NS: Final = 60_000_000_000
"""A clock that is further ahead is wrong: its values are kept, but say nothing of how fresh a source is."""


class State(StrEnum):
    """Where a source stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    FINISHED = "finished"
    STOPPED = "stopped"


@dataclass(slots=True)
class Rate:
    """Values per second over the last few seconds, from a running count."""

    window: float = 5.0
    clock: Callable[[], float] = time.monotonic
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def mark(self, count: int) -> float:
        """Note the count now and answer the rate."""
        now = self.clock()
        self._marks.append((now, count))
        while len(self._marks) > 2 and now - self._marks[0][0] > self.window:
            self._marks.popleft()
        start, first = self._marks[0]
        return (count - first) / (now - start) if now > start else 0.0


@dataclass(slots=True)
class SourceState:
    """State, sentence and counters of one source since the gateway started."""

    name: str
    kind: str = ""
    url: str = ""
    state: State = State.STOPPED
    detail: str = ""
    reconnects: int = 0
    values: int = 0
    newest_time: int = 0
    severities: list[int] = field(default_factory=lambda: [0, 0, 0])
    tags: set[str] = field(default_factory=set)
    rate: Rate = field(default_factory=Rate)
    _seen: set[tuple[str, ...]] = field(default_factory=set)
    _last: dict[Kind, tuple[str, ...]] = field(default_factory=dict)

    def say(self, state: State, detail: str = "") -> None:
        """Change what people see."""
        self.state, self.detail = state, detail

    def count(self, batch: Batch) -> None:
        """Count a committed batch."""
        if not len(batch):
            return
        self.values += len(batch)
        self._note_time(batch, time.time_ns() + _AHEAD_NS)
        if batch.quality.any():
            for index, n in enumerate(np.bincount(severity(batch.quality), minlength=3).tolist()):
                self.severities[index] += n
        else:
            self.severities[0] += len(batch)
        if self._last.get(batch.kind) is batch.names:
            return
        self._last[batch.kind] = batch.names
        if len(self._seen) > 1_000:
            self._seen.clear()
        if batch.names not in self._seen:
            self._seen.add(batch.names)
            self.tags.update(batch.names)

    def _note_time(self, batch: Batch, latest: int) -> None:
        newest = int(batch.time.max())
        if newest > latest:
            newest = max(batch.time[batch.time <= latest].tolist(), default=0)
        self.newest_time = max(self.newest_time, newest)
