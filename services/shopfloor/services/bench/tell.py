"""The worker's side of the conversation: `ready`, `start`, `stop`, `result`."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np

_EVERY: Final = 64


def plan() -> dict[str, Any]:
    """What the bench asked for on the command line."""
    return dict(json.loads(sys.argv[1]))


def say(word: str, what: Mapping[str, Any]) -> None:
    """One line for the bench."""
    sys.stdout.write(f"{word} {json.dumps(what)}\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Window:
    """When counting starts and stops, as the bench says; `cpu_s` is what this process used in between."""

    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    start: int = 0
    stop: int = 0
    cpu_s: float = 0.0

    @classmethod
    def listening(cls) -> Self:
        """A window that the lines on standard input open and close."""
        window = cls()
        threading.Thread(target=window._listen, daemon=True).start()
        return window

    async def over(self) -> None:
        """Wait for the end, in a thread: what is measured shall not wake up for it."""
        await asyncio.to_thread(self.ended.wait)

    def _listen(self) -> None:
        before = 0
        for line in sys.stdin:
            if line.strip() == "start":
                before, self.start = time.process_time_ns(), time.time_ns()
                self.begun.set()
            elif line.strip() == "stop":
                break
        self.cpu_s = (time.process_time_ns() - before) / 1e9
        self.stop = time.time_ns()
        self.ended.set()


@dataclass(slots=True)
class Count:
    """Counts values one by one, as clients that hand over one by one must. Sequences below 0 are first values."""

    window: Window
    items: int
    keep: bool = False
    values: int = 0
    gaps: int = 0
    duplicates: int = 0
    _last: list[float] = field(default_factory=list)
    _late: list[float] = field(default_factory=list)
    _kept: dict[int, list[int]] = field(default_factory=dict)
    _times: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._last = [-1.0] * self.items

    def one(self, item: int, value: object) -> bool:
        """Count one value; answers whether its delay is to be noted as well. A Boolean is no sequence number."""
        if isinstance(value, bool):
            self.values += self.window.begun.is_set()
            return False
        sequence = float(value)  # type: ignore[arg-type]
        last, self._last[item] = self._last[item], sequence
        if not self.window.begun.is_set() or sequence < 0:
            return False
        self.values += 1
        if self.keep:
            self._kept.setdefault(item, []).append(int(sequence))
            self._times.append(time.time_ns())
        step = sequence - last
        if step != 1 and last >= 0:
            self.gaps += max(0, int(step) - 1)
            self.duplicates += step <= 0
        return self.values % _EVERY == 0

    def late(self, seconds: float) -> None:
        """Note how old a value was when it came."""
        self._late.append(seconds)

    def result(self) -> dict[str, Any]:
        """What the bench writes down."""
        answer = {
            "values": self.values,
            "gaps": self.gaps,
            "duplicates": self.duplicates,
            "cpu_s": self.window.cpu_s,
            **delays(np.array(self._late)),
        }
        return {**answer, "kept": self._kept, "times": self._times} if self.keep else answer


def delays(seconds: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    """Median and 99th percentile in ms.

    >>> delays(np.array([0.1, 0.1, 0.2]))["p50_ms"]
    100.0
    """
    if not len(seconds):
        return {"p50_ms": None, "p99_ms": None}
    p50, p99 = np.percentile(seconds * 1e3, [50, 99])
    return {"p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1)}
