# ruff: noqa: S101, PT017, ASYNC110 (the suite is made of assertions)
"""The contract suite: what every connector must do, to be run against a real device or a simulated one.

    class PumpRig(Rig):
        ...

    async def test_pump_keeps_the_contract():
        async with PumpRig() as rig:
            await check_source(rig)

A rig is a device on the bench: it makes values, cuts the link, and knows what was acknowledged to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from shopfloor.plant import Batch, Sample, Source, SourceLost

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


async def check_source(rig: Rig) -> None:
    """Run every check, the one that breaks the link last; an `AssertionError` says which promise is broken."""
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
        await reader.until(lambda: set(made) <= reader.samples, f"not all of {len(made)} values were handed over")


async def check_closed_does_not_acknowledge(rig: Rig) -> None:
    """A source that is closed at its `yield` has acknowledged nothing of that batch."""
    async with rig.source().open() as batches:
        await rig.produce()
        await _within(anext(batches), "no batch came")
        before = await rig.acknowledged()
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
        await reader.until(lambda: set(made) <= reader.samples, "the values did not come")
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


async def check_lost_link(rig: Rig) -> None:
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
    """Reads a source as the pipeline does, and remembers what came."""

    def __init__(self, batches: AsyncIterator[Batch]) -> None:
        self._batches = batches
        self.samples: set[Sample] = set()

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


async def _within(work: object, otherwise: str) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await work  # type: ignore[misc]
    except TimeoutError:
        raise AssertionError(otherwise) from None
