"""From the arrival of a window to its score: 1,000 assets, a window of each every second, spread evenly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.scorer import score
from shopfloor.models.spec import Stream
from shopfloor.models.toy_model import ToyModel, one_thread, toy_model, walks
from shopfloor.services.bench.models.sets import Row, row

ASSETS: Final = 1_000
BAR_MS: Final = 10.0
BAR_RATIO: Final = 30.0
SPENT_S: Final = 3.0
Floats = NDArray[np.float64]
Told = Callable[[str], None]


def live(seconds: float, told: Told) -> list[Row]:
    """Latencies by the clock, at the rate of a plant; then CPU per window, beside scikit-learn window by window."""
    model = toy_model()
    told(f"{ASSETS} windows a second for {seconds:g} s")
    late, cpu = arrivals(model, seconds)
    told("CPU per window, beside a loop over windows")
    ours, loop = together(model, SPENT_S), alone(model, SPENT_S)
    p99, ratio = float(np.quantile(late, 0.99)) * 1e3, ours / loop
    return [
        row(f"p50 from arrival to score at {ASSETS:,} windows/s (ms)", float(np.median(late)) * 1e3),
        row(f"p99 from arrival to score at {ASSETS:,} windows/s (ms)", p99, f"<= {BAR_MS:g}", p99 <= BAR_MS),
        row("longest of all (ms)", float(late.max()) * 1e3),
        row("windows scored", len(late), digits=0),
        row("windows scored together, mean", len(late) / len(cpu), digits=1),
        row("p99 of the CPU that takes, waiting left out (ms)", float(np.quantile(cpu, 0.99)) * 1e3),
        row("share of one core (%)", 100 * float(cpu.sum()) / seconds, digits=1),
        row(f"windows per CPU-second, {ASSETS:,} at once", ours, digits=0),
        row("windows per CPU-second, one by one, scikit-learn on one thread", loop, digits=0),
        row("ratio of the two", ratio, f">= {BAR_RATIO:g}", ratio >= BAR_RATIO, 1),
    ]


def arrivals(model: ToyModel, seconds: float) -> tuple[Floats, Floats]:
    """Seconds from when each window was due to its score [windows], and CPU seconds of each batch of them.

    Takes everything that is due and never waits for more; a window that comes while others are scored is late by that.
    """
    stream, bundle, names = Stream(model.spec), model.sealed.bundle, [f"asset {i}" for i in range(ASSETS)]
    values = walks(ASSETS, 16, 1)
    stream.push(names, np.zeros(ASSETS, np.int64), values[0])
    count, done = int(seconds * ASSETS), 0
    late, spent = np.empty(count), []
    due = time.perf_counter() + 0.05 + np.arange(count) / ASSETS
    while done < count:
        ready = min(int(np.searchsorted(due, time.perf_counter(), "right")), done + ASSETS)
        if ready == done:
            time.sleep(max(due[done] - time.perf_counter(), 0.0))
            continue
        rows, cpu = np.arange(done, ready), time.thread_time()
        assets, step = rows % ASSETS, rows // ASSETS + 1
        x = stream.push([names[i] for i in assets], step, values[step % len(values), assets])
        score(bundle, x)
        late[rows] = time.perf_counter() - due[rows]
        spent.append(time.thread_time() - cpu)
        done = ready
    return late, np.array(spent)


def together(model: ToyModel, seconds: float) -> float:
    """Windows per CPU-second where all assets are described and scored at once."""
    stream, bundle, names = Stream(model.spec), model.sealed.bundle, [f"asset {i}" for i in range(ASSETS)]
    values = walks(ASSETS, 16, 2)

    def tick(step: int) -> int:
        score(bundle, stream.push(names, np.full(ASSETS, step), values[step % len(values)]))
        return ASSETS

    return _per_second(tick, seconds)


def alone(model: ToyModel, seconds: float) -> float:
    """Windows per CPU-second where each is described by itself and scikit-learn is asked about it."""
    stream, values = Stream(model.spec), walks(1, 16, 3)

    def tick(step: int) -> int:
        model.alone(stream.push(["asset"], np.array([step]), values[step % len(values)]))
        return 1

    with one_thread():
        return _per_second(tick, seconds)


def _per_second(tick: Callable[[int], int], seconds: float) -> float:
    """What `tick` does per CPU-second, after one that warms up; CPU of all threads counts."""
    tick(0)
    begun, step, done = time.process_time(), 1, 0
    while time.process_time() - begun < seconds:
        done += tick(step)
        step += 1
    return done / (time.process_time() - begun)
