"""Reads while five times the plant comes in, and memory while the plant comes in at its own pace."""

from __future__ import annotations

import itertools
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.bench.cache import Absent
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.store import proc
from shopfloor.services.bench.store.contestants import OURS, Contestant, Row
from shopfloor.services.bench.store.questions import Question
from shopfloor.services.bench.store.signals import Shape
from shopfloor.services.bench.store.stores import Store
from shopfloor.services.bench.store.workload import SECOND, START, plant
from shopfloor.services.bench.worker import WorkerFailed

_TIMES: Final = 5
_STALL_MS: Final = 500.0
_PAUSE_S: Final = 0.05
_LIMIT_MB: Final = 500


def reads(contestants: Sequence[Contestant], folder: Path, seconds: int) -> dict[str, Any]:
    """Every store alone takes five times the plant for a while, and is read on another connection."""
    machine = facts()
    rate = _TIMES * plant().rate
    return {
        "name": "reads", "title": f"Reads while {rate:,} rows/s come in, {seconds} s", "machine": machine,
        "bar": "no batch of 30,000 rows waits for more than 500 ms",
        "summary": [_safely(one, folder / f"reads-{one.name}", seconds) for one in contestants],
    }  # fmt: skip


def memory(contestant: Contestant, folder: Path, seconds: int) -> dict[str, Any]:
    """Ours takes the plant at its own pace, is read, and is looked at every second."""
    machine, samples = facts(), []
    with contestant.start(folder / "memory") as store, _reader(store) as reader:
        batches = reader.followed(plant().batches(seconds))
        took = _paced(store, batches, 1.0, lambda: samples.append(round(proc.rss(store.pid) / 1e6, 1)))
        row = {
            "store": OURS,
            "version": store.version,
            "most_mb": max([round(proc.peak_rss(store.pid) / 1e6, 1), *samples]),
        }
    half = len(samples) // 2
    row |= {"first_mb": max(samples[:half]), "second_mb": max(samples[half:]), "reads": len(reader.raw_ms)}
    row |= {"append_p99_ms": _percentiles(took)[1], "load": load()}
    return {
        "name": "memory", "title": f"Memory at {plant().rate:,} rows/s with reads, {seconds} s", "machine": machine,
        "bar": f"{_LIMIT_MB} MB, flat", "samples": samples, "summary": [row],
    }  # fmt: skip


@dataclass(slots=True)
class _Reader:
    """Asks for the last minute of a tag and for the latest values in turn; `now` is the newest time that was sent."""

    now: int = START
    raw_ms: list[float] = field(default_factory=list)
    latest_ms: list[float] = field(default_factory=list)
    failed: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def followed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, which it follows."""
        for batch in batches:
            yield batch
            self.now += SECOND

    def run(self, store: Store) -> None:
        """Ask until the end."""
        tags = itertools.cycle(plant().of(Shape.VIBRATION))
        try:
            while not self.ended.wait(_PAUSE_S):
                raw = Question("raw", "", "raw", (next(tags),), max(self.now - 60 * SECOND, START), self.now)
                if self.now > START:
                    self.raw_ms.append(store.ask(raw).wall_ms)
                    self.latest_ms.append(store.ask(Question("latest", "", "latest", end=self.now)).wall_ms)
        except WorkerFailed as problem:
            self.failed = str(problem)


@contextmanager
def _reader(store: Store) -> Iterator[_Reader]:
    reader = _Reader()
    thread = threading.Thread(target=reader.run, args=(store.second(),), daemon=True)
    thread.start()
    try:
        yield reader
    finally:
        reader.ended.set()
        thread.join(60)
    if reader.failed:
        raise WorkerFailed(reader.failed)


def _safely(one: Contestant, folder: Path, seconds: int) -> Row:
    try:
        with one.start(folder) as store:
            row = {"store": one.name, "version": store.version, **_measured(store, seconds)}
    except (Absent, WorkerFailed) as problem:
        row = {"store": one.name, "absent" if isinstance(problem, Absent) else "failed": str(problem)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stderr.write(f"reads {one.name:16} {row.get('append_ms', row)}  load {load()}\n")
    return row


def _measured(store: Store, seconds: int) -> Row:
    batches = list(plant().batches(seconds * _TIMES))
    with _reader(store) as reader:
        begun = time.perf_counter()
        took = _paced(store, reader.followed(batches), _TIMES)
        lasted = time.perf_counter() - begun
    return {
        "rows_per_s": round(len(batches) * plant().rate / lasted), "append_ms": _percentiles(took),
        "stalls": sum(ms > _STALL_MS for ms in took), "reads": len(reader.raw_ms),
        "raw_ms": _percentiles(reader.raw_ms), "latest_ms": _percentiles(reader.latest_ms), "load": load(),
    }  # fmt: skip


def _paced(store: Store, batches: Iterable[Batch], hz: float, after: Callable[[], object] = list) -> list[float]:
    """Append at a pace; late is late, and what was missed is not made up for faster than it goes."""
    begun, took = time.monotonic(), []
    for number, batch in enumerate(batches):
        time.sleep(max(0.0, begun + number / hz - time.monotonic()))
        took.append(store.append(batch))
        after()
    return took


def _percentiles(took: Sequence[float]) -> list[float]:
    """Median, 99th percentile and the most, in ms."""
    return [round(float(one), 1) for one in np.percentile(took, [50, 99, 100])] if took else [0.0, 0.0, 0.0]
