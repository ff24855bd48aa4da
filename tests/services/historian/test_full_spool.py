"""An hour without a server and a spool too small for it: what is dropped follows the policy and is accounted for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_server import POWER, Running, plant, running
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.conform import Conform
from shopfloor.gateway.forward import Forwarder
from shopfloor.gateway.pipeline import Feed
from shopfloor.gateway.server import Server, Token
from shopfloor.gateway.spool import Committer, Entry, Hole, Spool
from shopfloor.gateway.state import SourceState
from shopfloor.plant import Batch
from shopfloor.plant.config import WhenFull

NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
ROWS, HOUR = 100, 3_600
LIMIT = 1_000_000


class Device:
    """A machine that hands over a batch for every second of an hour."""

    def __init__(self) -> None:
        self.second = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        yield self.batches()

    async def batches(self) -> AsyncIterator[Batch]:
        while self.second < HOUR:
            yield second(self.second)
            self.second += 1


def second(number: int) -> Batch:
    time = NOON + number * 1_000_000_000 + np.arange(ROWS, dtype=np.int64) * 10_000_000
    value = number * ROWS + np.arange(ROWS, dtype=np.float64)
    return Batch((POWER,), np.zeros(ROWS, np.int32), time, value, np.zeros(ROWS, np.uint32))


async def outage(folder: Path, policy: WhenFull, device: Device, until: int) -> None:
    """Feed the device into the spool while there is no server; ends as a process that is stopped does."""
    with Spool.open(folder, "edge-1", LIMIT, policy) as spool:
        committer = Committer(spool)
        feed = Feed(
            device, SourceState("machining"), committer, Conform(plant()), Backoff(0.01, 0.05, random.Random(1))
        )
        async with committer.running():
            task = asyncio.create_task(feed.run())
            async with asyncio.timeout(120):
                while device.second < until and not task.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert spool.bytes <= LIMIT


async def returned(folder: Path, policy: WhenFull, server: Running) -> dict[str, Any]:
    """The server is back: everything that waits is sent; answers the account."""
    token = Token(server.folder / "secrets" / "gateway.token")
    with Spool.open(folder, "edge-1", LIMIT, policy) as spool:
        async with Server.open(server.url, token) as link:
            task = asyncio.create_task(Forwarder(spool, link, asyncio.Event(), Backoff(0.02, 0.1)).run())
            async with asyncio.timeout(60):
                while spool.tally.batches or spool.peek():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        counts = spool.tally.of("machining")
        said = {"name": "machining", "accepted": counts.accepted, "spooled": 0, "dropped": counts.dropped}
        server.parts.gateways.post(spool.id, {"name": "edge-1", "sources": [said]})
    (account,) = server.get("/ledger")["sources"]
    return dict(account)


def stored(server: Running) -> list[float]:
    table = server.parts.historian.reader.read([POWER], NOON, NOON + 2 * HOUR * 1_000_000_000)
    return list(table.column("value").to_pylist())


@pytest.mark.parametrize("policy", [WhenFull.DROP_OLDEST, WhenFull.DROP_NEWEST])
async def test_an_hour_without_a_server(tmp_path: Path, policy: WhenFull) -> None:
    device = Device()
    await outage(tmp_path / "spool", policy, device, HOUR // 3)
    await outage(tmp_path / "spool", policy, device, HOUR)
    with running(tmp_path / "server") as server:
        account = await returned(tmp_path / "spool", policy, server)
        values = stored(server)
        assert account["balanced"], account
        assert account["accepted"] >= HOUR * ROWS
        assert account["accepted"] == account["stored"] + account["dropped"]
        assert account["stored"] == len(values)
        assert account["dropped"] > account["stored"] > 100 * ROWS
        if policy is WhenFull.DROP_NEWEST:
            assert values[:-ROWS] == list(range(len(values) - ROWS))
        else:
            head = next(n for n, (one, two) in enumerate(pairwise(values)) if two != one + 1) + 1
            assert head <= 20 * ROWS, "only what the last run may have sent is kept at the old end"
            assert values[head:] == list(range(HOUR * ROWS - len(values) + head, HOUR * ROWS))
        assert f"{account['dropped']:,} values of machining were dropped" in account["sentence"]


async def test_the_default_drops_nothing_and_waits(tmp_path: Path) -> None:
    device = Device()
    feeding = asyncio.create_task(outage(tmp_path / "spool", WhenFull.WAIT, device, HOUR))
    fitting = LIMIT // len(second(0).to_bytes())
    async with asyncio.timeout(60):
        while device.second < fitting:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    assert device.second == fitting < HOUR
    feeding.cancel()
    with suppress(asyncio.CancelledError):
        await feeding
    with running(tmp_path / "server") as server:
        account = await returned(tmp_path / "spool", WhenFull.WAIT, server)
        assert (account["dropped"], account["balanced"]) == (0, True)
        assert stored(server) == list(range(account["stored"]))


def test_what_is_on_its_way_is_not_dropped(tmp_path: Path) -> None:
    """A batch that was handed out may be at the server already: dropping it would count it twice."""
    with Spool.open(tmp_path, "edge-1", 1_000_000, WhenFull.DROP_OLDEST) as spool:
        spool.append([Entry("s", 1, b"x" * 100_000) for _ in range(10)])
        spool.settle(0)
        handed = [row.sequence for row in spool.peek(size=250_000)]
        assert handed == [1, 2, 3]
        assert spool.make_room(300_000)
        spool.settle(1)
        rows = spool.peek()
        assert [(type(row).__name__, row.first, row.sequence) for row in rows][:4] == [
            ("Row", 1, 1), ("Row", 2, 2), ("Row", 3, 3), ("Hole", 4, 7),
        ]  # fmt: skip
        spool.settle(1)
        assert spool.make_room(500_000)
        assert [(one.first, one.sequence) for one in spool.peek() if isinstance(one, Hole)] == [(2, 3), (4, 7)]
        assert spool.tally.of("s").dropped + spool.tally.of("s").spooled == 10


def test_a_hole_that_is_being_reported_does_not_grow(tmp_path: Path) -> None:
    with Spool.open(tmp_path, "edge-1", 1_000_000, WhenFull.DROP_NEWEST) as spool:
        spool.append([Entry("a", 2, b""), Entry("b", 3, b"")])
        (hole,) = spool.peek()
        assert isinstance(hole, Hole)
        assert hole.accounts == {"a": (2, 2), "b": (3, 3)}
        spool.append([Entry("a", 5, b"")])
        spool.close_hole(hole)
        (later,) = spool.peek()
        assert isinstance(later, Hole)
        assert (later.first, later.sequence, later.accounts) == (3, 3, {"a": (5, 7)})
