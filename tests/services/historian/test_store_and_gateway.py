"""A gateway and a server that lost some or all of its data find together again, and the ledger says what happened."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from running_server import POWER, Running, running
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.conform import entries
from shopfloor.gateway.forward import Forwarder
from shopfloor.gateway.server import Server, Token
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.plant import Batch
from shopfloor.services.api.health import HealthAnswer
from shopfloor.services.historian.trouble import State, Trouble

NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
SOURCE = "machining"


def ramp(number: int) -> Batch:
    time = NOON + (number * 10 + np.arange(10, dtype=np.int64)) * 1_000_000_000
    return Batch((POWER,), np.zeros(10, np.int32), time, np.arange(10.0), np.zeros(10, np.uint32))


@asynccontextmanager
async def forwarding(spool: Spool, server: Running, folder: Path) -> AsyncIterator[Committer]:
    token = folder / "token"
    token.write_text(server.token)
    committer = Committer(spool)
    async with Server.open(server.url, Token(token)) as link, committer.running():
        task = asyncio.create_task(Forwarder(spool, link, committer.committed, Backoff(0.02, 0.1)).run())
        try:
            yield committer
            await emptied(spool)
            await link.report_health(spool.id, health(spool))
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def emptied(spool: Spool) -> None:
    async with asyncio.timeout(15):
        while spool.tally.batches:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def health(spool: Spool) -> dict[str, Any]:
    counts = spool.tally.of(SOURCE)
    source = {"name": SOURCE, "kind": "opcua", "state": "connected", "detail": "", "dropped": counts.dropped}
    source |= {"accepted": counts.accepted, "spooled": counts.spooled, "rejected": counts.rejected}
    return {"name": "edge", "pid": 1, "version": "0", "time": 0, "sources": [source]}


async def deliver(folder: Path, data: Path, numbers: range) -> tuple[str, dict[str, Any]]:
    """Let the gateway of `folder` deliver batches to the server of `data`; answers its name and the server's ledger."""
    with Spool.open(folder, "edge") as spool, running(data) as server:
        async with forwarding(spool, server, folder) as committer:
            for number in numbers:
                await committer.commit(list(entries(SOURCE, ramp(number))))
        return spool.id, server.get("/ledger")


def picked(ledger: dict[str, Any], gateway: str) -> tuple[int, int, int, bool]:
    (row,) = (row for row in ledger["sources"] if row["gateway"] == gateway)
    return row["accepted"], row["stored"], row["spooled"], row["balanced"]


async def test_a_server_that_lost_its_folder_goes_on_with_an_old_gateway(tmp_path: Path) -> None:
    gateway, data = tmp_path / "gateway", tmp_path / "data"
    name, ledger = await deliver(gateway, data, range(20))
    assert (picked(ledger, name), ledger["balanced"]) == ((200, 200, 0, True), True)
    shutil.rmtree(data)
    after, ledger = await deliver(gateway, data, range(20, 25))
    assert after == name
    assert (picked(ledger, name), ledger["store"]["rows"]) == ((50, 50, 0, True), 50)
    assert "from batch 21 on: 200 earlier values of machining were stored elsewhere" in ledger["sources"][0]["sentence"]


async def test_a_server_restored_from_an_older_copy_goes_on_and_says_what_it_misses(tmp_path: Path) -> None:
    gateway, data, copy = tmp_path / "gateway", tmp_path / "data", tmp_path / "copy"
    await deliver(gateway, data, range(10))
    shutil.copytree(data, copy)
    name, ledger = await deliver(gateway, data, range(10, 20))
    assert picked(ledger, name) == (200, 200, 0, True)
    shutil.rmtree(data)
    copy.rename(data)
    anew, ledger = await deliver(gateway, data, range(20, 25))
    assert anew != name
    assert picked(ledger, anew) == (50, 50, 0, True)
    assert picked(ledger, name) == (100, 100, 0, False)
    assert (ledger["balanced"], ledger["store"]["rows"]) == (False, 150)
    assert f"Gateway {name} delivered 100 values of machining that are not in this store" in str(ledger)
    same, ledger = await deliver(gateway, data, range(25, 30))
    assert (same, picked(ledger, anew)) == (anew, (100, 100, 0, True))


async def test_a_gateway_that_still_holds_what_an_older_copy_lacks_sends_it_again(tmp_path: Path) -> None:
    gateway, data, kept = tmp_path / "gateway", tmp_path / "data", tmp_path / "kept"
    await deliver(gateway, data, range(10))
    shutil.copytree(data, kept)
    with Spool.open(gateway, "edge") as spool:
        spool.append([entry for number in range(10, 20) for entry in entries(SOURCE, ramp(number))])
        shutil.copytree(gateway, tmp_path / "holding")
    name, _ = await deliver(gateway, data, range(0))
    again, ledger = await deliver(tmp_path / "holding", kept, range(20, 21))
    assert again == name
    assert (picked(ledger, name), ledger["balanced"]) == ((210, 210, 0, True), True)


@pytest.mark.parametrize("state", get_args(State))
def test_health_says_what_keeps_the_store_from_working(tmp_path: Path, state: State) -> None:
    with running(tmp_path) as server:
        assert server.get("/health")["store"]["state"] == "ok"
        server.parts.historian._writer.unseen = Trouble(state, "The store rests.")
        health = HealthAnswer.model_validate(server.get("/health"))
        assert (health.status, health.sentence) == ("degraded", "The store rests.")
        assert (health.store.state, health.store.sentence) == (state, "The store rests.")


def test_health_names_a_damaged_batch(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.parts.historian._replay.damaged = ["A batch is damaged."]
        health = HealthAnswer.model_validate(server.get("/health"))
        assert (health.status, health.store.state, health.sentence) == ("degraded", "damaged", "A batch is damaged.")
