"""A task that will not end keeps no link waiting."""

from __future__ import annotations

import asyncio
import logging

import pytest
from shopfloor.gateway.opcua.ending import end


def test_a_task_that_swallows_its_cancellation_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    async def stubborn(free: asyncio.Event) -> None:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    async def scenario() -> None:
        free = asyncio.Event()
        task = asyncio.create_task(stubborn(free), name="publish 1")
        await asyncio.sleep(0)
        await end([task], patience_s=0.05)
        assert not task.done()
        free.set()
        await task

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert "'publish 1'" in caplog.text


def test_what_a_task_failed_with_is_nobodys_surprise_later(caplog: pytest.LogCaptureFixture) -> None:
    async def failing() -> None:
        raise ConnectionError("gone")

    async def scenario() -> None:
        task = asyncio.create_task(failing())
        await asyncio.sleep(0)
        await end([task])
        del task

    asyncio.run(scenario())
    assert "never retrieved" not in caplog.text
