"""Outages of the link to real OPC UA servers: nothing lost, nothing twice, and soon back."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from counters import SERVERS, counting, reading, source, until
from shopfloor.gateway.cut import Cut

pytestmark = pytest.mark.foreign
SECONDS = float(os.environ.get("SHOPFLOOR_OUTAGE_S", "3"))


@pytest.mark.parametrize("server", SERVERS)
async def test_a_cut_link_costs_nothing(server: str, port: int, tmp_path: Path) -> None:
    with counting(server, port, history=server == "python-opcua"):
        async with Cut("127.0.0.1", port) as link, reading(source(link.port), tmp_path) as run:
            await until(lambda: len(run.arrivals) > 5)
            await link.refuse()
            await asyncio.sleep(SECONDS)
            await link.accept()
            back = time.monotonic()
            resumed = await run.after(back)
            await until(lambda: not run.source.marks.gaps)
            await asyncio.sleep(1)
        assert (run.lost(), run.duplicated(), run.source.gaps, run.source.detail) == (0, 0, 0, "")
        assert resumed < 2


@pytest.mark.parametrize("server", SERVERS)
async def test_a_silent_drop_costs_nothing(server: str, port: int, tmp_path: Path) -> None:
    with counting(server, port, history=server == "python-opcua"):
        async with Cut("127.0.0.1", port) as link, reading(source(link.port), tmp_path) as run:
            await until(lambda: len(run.arrivals) > 5)
            link.drop()
            await asyncio.sleep(max(10, SECONDS))
            assert run.feed.state.state == "waiting"
            link.reset()
            resumed = await run.after(time.monotonic())
            await until(lambda: not run.source.marks.gaps)
            await asyncio.sleep(1)
        assert (run.lost(), run.duplicated(), run.source.gaps, run.source.detail) == (0, 0, 0, "")
        assert resumed < 2
