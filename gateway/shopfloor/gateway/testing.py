# ruff: noqa: S101, PT017, ASYNC110 (the suite is made of assertions)
"""The contract suite: what every connector must do, to be run against a real device or a simulated one.

    class PumpRig(Rig):
        ...

    async def test_pump_keeps_the_contract():
        async with PumpRig() as rig:
            await check_source(rig)

A rig is a device on the bench: it makes values, cuts the link, and knows what was acknowledged to it. A device that
is polled (Modbus) has neither acknowledgement nor time: its rig is a `Polled`, and other promises take their place.
A connector that writes is checked by `check_actuator` as well.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Literal, Protocol, cast

from shopfloor.plant import Batch, Sample, Source, SourceLost, quality
from shopfloor.plant.contracts import Actuator, Setpoint

_PATIENCE_S = 20.0
_MOMENT_S = 0.5


class Rig(Protocol):
    """A device on the bench. Its values carry distinct times, and at least one of them is not good."""

    def source(self) -> Source:
        """A new source that reads this device; called several times."""
        ...

    async def produce(self) -> Sequence[Sample]:
        """Make some new values now, and answer them as the source shall hand them over."""
        ...

    async def acknowledged(self) -> int:
        """How many messages, notifications or files the device knows to be safe; it only grows."""
        ...

    async def cut(self) -> None:
        """Break the link for good, as a pulled cable or a stopped device does; called last."""
        ...


class Polled(Protocol):
    """A device that is asked again and again, and that knows no acknowledgement and no time of its own."""

    polled: Literal[True]

    def source(self) -> Source:
        """A new source that polls this device at least ten times a second; called several times."""
        ...

    async def produce(self) -> Sequence[Sample]:
        """Let the device hold new values now, one a tag, and answer them; their times count for nothing."""
        ...

    async def cut(self) -> None:
        """Break the link for good; called last."""
        ...


class ActuatorRig(Protocol):
    """A device on the bench that takes setpoints."""

    taken: Sequence[Setpoint]
    """At least two setpoints that the device takes; the last two are different values of one tag."""
    refused: Setpoint
    """One that the device itself refuses."""

    def source(self) -> Source:
        """A new source that is an `Actuator` too."""
        ...

    async def holds(self, tag: str) -> object:
        """What the device really holds for a tag, asked behind the connector's back."""
        ...

    async def cut(self) -> None:
        """Break the link for good; called last."""
        ...


async def check_source(rig: Rig | Polled) -> None:
    """Run every check, the one that breaks the link last; an `AssertionError` says which promise is broken."""
    if getattr(rig, "polled", False):
        await check_polls(cast("Polled", rig))
        await check_polls_again(cast("Polled", rig))
        await check_lost_link(rig)
        return
    rig = cast("Rig", rig)
    await check_hands_over(rig)
    await check_closed_does_not_acknowledge(rig)
    await check_resume_acknowledges(rig)
    await check_lost_link(rig)


async def check_hands_over(rig: Rig) -> None:
    """Every value arrives with its tag, time, value and quality."""
    async with rig.source().open() as batches:
        reader = _Reader(batches)
        made = await rig.produce()
        assert any(sample.quality for sample in made), "the rig must make a value that is not good"
        await reader.until(lambda: reader.has(made), f"not all of {len(made)} values were handed over")


async def check_closed_does_not_acknowledge(rig: Rig) -> None:
    """A source that is closed at its `yield` has acknowledged nothing of that batch."""
    async with rig.source().open() as batches:
        before = await rig.acknowledged()
        await rig.produce()
        await _within(anext(batches), "no batch came")
        await asyncio.sleep(_MOMENT_S)
        assert await rig.acknowledged() == before, "acknowledged before the next batch was asked for"
    await asyncio.sleep(_MOMENT_S)
    assert await rig.acknowledged() == before, "acknowledged when closed at its yield"


async def check_resume_acknowledges(rig: Rig) -> None:
    """Asking for more acknowledges what came before."""
    async with rig.source().open() as batches:
        before = await rig.acknowledged()
        reader = _Reader(batches)
        made = await rig.produce()
        await reader.until(lambda: reader.has(made), "the values did not come")
        more = asyncio.create_task(reader.forever())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while await rig.acknowledged() <= before:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError("asking for the next batch did not acknowledge the last one") from None
        finally:
            more.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await more


async def check_polls(rig: Polled) -> None:
    """Every value that the device holds arrives with its tag and quality, and the time at which it was read."""
    async with rig.source().open() as batches:
        reader = _Reader(batches, timeless=True)
        start = time.time_ns()
        made = await rig.produce()
        assert any(sample.quality for sample in made), "the rig must make a value that is not good"
        await reader.until(lambda: reader.has(made), f"not all of {len(made)} values were handed over")
        late = [sample for sample in reader.samples if not start <= sample.time <= time.time_ns()]
        assert not late, f"{len(late)} values carry a time at which they were not read"


async def check_polls_again(rig: Polled) -> None:
    """What was at a `yield` when the source was closed is handed over again, although the device did not change."""
    made = await rig.produce()
    async with rig.source().open() as batches:
        await _within(anext(batches), "no batch came")
    async with rig.source().open() as batches:
        reader = _Reader(batches, timeless=True)
        await reader.until(lambda: reader.has(made), "values that were never acknowledged did not come again")


async def check_actuator(rig: ActuatorRig) -> None:
    """Run every check of a connector that writes, the one that breaks the link last."""
    closed = rig.source()
    assert isinstance(closed, Actuator), "the source is no Actuator"
    assert all(closed.can_write(one.tag) for one in (*rig.taken, rig.refused)), "a setpoint's tag is not known"
    assert not closed.connected, "an actuator that is closed says that it is connected"
    await _raises_lost(closed, rig.taken[0], "an actuator that is closed did not raise SourceLost")
    async with _reading(closed):
        assert closed.connected, "an actuator that is open says that it is not connected"
        for setpoint in rig.taken:
            await check_takes(rig, closed, setpoint)
        await check_refuses(rig, closed)
        await rig.cut()
        await _raises_lost(closed, rig.taken[-2], "a link that broke did not raise SourceLost")


async def check_takes(rig: ActuatorRig, actuator: Actuator, setpoint: Setpoint) -> None:
    """The device holds what was asked, and the outcome says so."""
    outcome = await actuator.apply(setpoint)
    assert outcome.status >> 30 == 0, f"the device answers {quality.name(outcome.status)}: {outcome.sentence}"
    assert _alike(outcome.read_back, setpoint.value), f"{setpoint.value!r} was read back as {outcome.read_back!r}"
    held = await rig.holds(setpoint.tag)
    assert _alike(held, setpoint.value), f"the device holds {held!r}, not {setpoint.value!r}"


async def check_refuses(rig: ActuatorRig, actuator: Actuator) -> None:
    """The device's own refusal is an outcome with a bad status and a sentence, and nothing has changed."""
    before = await rig.holds(rig.refused.tag)
    outcome = await actuator.apply(rig.refused)
    assert outcome.status >> 31, f"a refusal has the status {quality.name(outcome.status)}"
    assert outcome.sentence.endswith("."), f"no sentence: {outcome.sentence}"
    held = await rig.holds(rig.refused.tag)
    assert _alike(held, before), f"the device refused and holds {held!r} instead of {before!r}"


async def check_lost_link(rig: Rig | Polled) -> None:
    """A lost link raises `SourceLost` with a sentence, and so does a device that is not there."""
    try:
        async with rig.source().open() as batches:
            await rig.cut()
            await _within(_Reader(batches).forever(), "the lost link was not noticed")
    except SourceLost as lost:
        assert str(lost).endswith("."), f"no sentence: {lost}"
    except StopAsyncIteration:
        raise AssertionError("a lost link ended the source as if all had been read") from None


class _Reader:
    """Reads a source as the pipeline does, and remembers what came. Timeless values are compared without a time."""

    def __init__(self, batches: AsyncIterator[Batch], *, timeless: bool = False) -> None:
        self._batches = batches
        self._timeless = timeless
        self.samples: set[Sample] = set()

    def has(self, made: Sequence[Sample]) -> bool:
        return {self._key(sample) for sample in made} <= {self._key(sample) for sample in self.samples}

    def _key(self, sample: Sample) -> str:
        return repr(replace(sample, time=0) if self._timeless else sample)

    async def until(self, done: Callable[[], bool], otherwise: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not done():
                    self.samples.update(await anext(self._batches))
        except TimeoutError:
            raise AssertionError(otherwise) from None

    async def forever(self) -> None:
        while True:
            self.samples.update(await anext(self._batches))


@asynccontextmanager
async def _reading(source: Source) -> AsyncIterator[None]:
    async with source.open() as batches:
        reading = asyncio.create_task(_Reader(batches).forever())
        try:
            yield
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration, SourceLost):
                await reading


async def _raises_lost(actuator: Actuator, setpoint: Setpoint, otherwise: str) -> None:
    try:
        await _within(actuator.apply(setpoint), "an actuator did not answer")
    except SourceLost as lost:
        assert str(lost).endswith("."), f"no sentence: {lost}"
    else:
        raise AssertionError(otherwise)


def _alike(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return one == other


async def _within(work: object, otherwise: str) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await work  # type: ignore[misc]
    except TimeoutError:
        raise AssertionError(otherwise) from None
