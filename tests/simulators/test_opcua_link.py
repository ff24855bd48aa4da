"""The OPC UA server of a device and a gateway whose link is cut: the session goes on, and so does what it is told."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from brokers import free_port
from counters import reading, source, until
from shopfloor.gateway.cut import Cut
from shopfloor.gateway.state import State
from shopfloor.plant import Kind
from shopfloor.simulators.opcua import DeviceServer
from shopfloor.simulators.tree import Variable


async def test_a_session_that_is_taken_up_again_is_told_packed_values(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counter = Variable(("Line", "C-0"), Kind.FLOAT)
    async with (
        DeviceServer([counter], port=free_port(), namespace="urn:shopfloor:line") as server,
        Cut("127.0.0.1", int(server.url.split(":")[2].split("/")[0])) as link,
        reading(source(link.port, 1, url=f"opc.tcp://127.0.0.1:{link.port}/shopfloor/"), tmp_path) as run,
    ):
        written = [0]

        async def count() -> None:
            while True:
                written.append(len(written))
                await server.write([(0, float(written[-1]), time.time_ns(), 0)])
                await asyncio.sleep(0.02)

        def arrived(number: int) -> bool:
            return any(number in counts for counts in run.counts().values())

        counting = asyncio.create_task(count())
        await until(lambda: len(run.arrivals) > 3)
        await link.refuse()
        await until(lambda: "Nothing listens" in run.feed.state.detail)
        await link.accept()
        await until(lambda: run.feed.state.state is State.CONNECTED)
        there = written[-1]
        await until(lambda: arrived(there + 10))
        counting.cancel()
    assert (run.lost(), run.duplicated(), run.source.gaps) == (0, 0, 0)
    assert "made anew" not in caplog.text
