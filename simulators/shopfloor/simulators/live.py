"""Real time: a line advances with the wall clock and publishes every value at its source time.

It never drifts: step n is due at its own time, however late the steps before it were. A loop that stood still
catches up at a few times the real speed, so that nobody's queue overflows; after a long standstill it leaps to now.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from shopfloor.simulators.engine import Simulation
from shopfloor.simulators.frame import Change, Frame

CATCH_UP: Final = 5
"""How many times faster than real time missed values are published."""
LEAP: Final = 60 * 10**9
"""A standstill longer than this (ns) is not published: the device was off."""


class Wire(Protocol):
    """How a line reaches its clients. Values are handed over in the order of their source times."""

    async def changes(self, changes: Iterable[Change]) -> None:
        """Publish tags that changed."""
        ...

    async def slow(self, frame: Frame) -> None:
        """Publish the tags that are sampled once per step."""
        ...

    async def fast(self, frame: Frame, sub: int) -> None:
        """Publish one sub-sample of the fast tags."""
        ...


async def run(
    simulation: Simulation,
    wire: Wire,
    *,
    stop: asyncio.Event,
    every_step: Callable[[], None] = lambda: None,
    clock: Callable[[], int] = time.time_ns,
) -> None:
    """Publish one step after the other until `stop` is set."""
    while not stop.is_set():
        await _until(simulation.time, stop, clock, simulation.line.dt_ns)
        if stop.is_set():
            return
        if clock() - simulation.time > LEAP:
            await asyncio.to_thread(fast_forward, simulation, clock)
            await wire.changes(simulation.current())
        frame = simulation.step()
        await wire.changes(frame.changes)
        await wire.slow(frame)
        await _sub_samples(simulation, frame, wire, stop, clock)
        every_step()


async def _sub_samples(
    simulation: Simulation, frame: Frame, wire: Wire, stop: asyncio.Event, clock: Callable[[], int]
) -> None:
    for sub, moment in enumerate(frame.sub_times()):
        if sub:
            await _until(moment, stop, clock, frame.dt_ns // simulation.line.rate)
        if stop.is_set():
            return
        await wire.fast(frame, sub)


def fast_forward(simulation: Simulation, clock: Callable[[], int] = time.time_ns) -> int:
    """Advance to now without publishing; answers the number of steps."""
    steps = 0
    while simulation.time + simulation.line.dt_ns <= clock():
        simulation.step()
        steps += 1
    return steps


async def _until(moment: int, stop: asyncio.Event, clock: Callable[[], int], period: int) -> None:
    wait = moment - clock()
    if wait < -2 * 10**9:
        wait = period // CATCH_UP
    if wait <= 0:
        await asyncio.sleep(0)
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait / 1e9):
            await stop.wait()
