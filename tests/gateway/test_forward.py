"""The forwarder against a real HTTP server: in order, once, through every refusal."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.conform import entries
from shopfloor.gateway.forward import Forwarder
from shopfloor.gateway.server import Server, Token
from shopfloor.gateway.spool import Committer, Spool
from shopfloor.plant import Batch, Sample

TAG = "delta/frames/machining/cell-a/cnc-01/load"


def batch(n: int, first: int = 0) -> Batch:
    value = np.arange(n, dtype=np.float64)
    return Batch((TAG,), np.zeros(n, np.int32), np.arange(first, first + n), value, np.zeros(n, np.uint32))


@asynccontextmanager
async def forwarding(
    folder: Path, url: str, token: Token | None = None, name: str = "edge"
) -> AsyncIterator[tuple[Committer, Forwarder]]:
    with Spool.open(folder, name) as spool:
        committer = Committer(spool)
        async with Server.open(url, token or Token()) as server, committer.running():
            forwarder = Forwarder(spool, server, committer.committed, Backoff(0.02, 0.1))
            task = asyncio.create_task(forwarder.run())
            try:
                yield committer, forwarder
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def commit(committer: Committer, some: Batch, source: str = "machining") -> None:
    await committer.commit(list(entries(source, some)))


async def test_batches_arrive_in_order(tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]) -> None:
    async with forwarding(tmp_path, ingest.url) as (committer, _):
        for n in range(40):
            await commit(committer, batch(10, 10 * n), f"source-{n % 3}")
        await wait_until(lambda: committer.spool.tally.batches == 0)
    assert [sample.time for sample in ingest.samples()] == list(range(400))
    assert not ingest.mismatches


async def test_a_server_that_keeps_up_is_sent_what_was_committed_without_reading_it_back(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]
) -> None:
    async with forwarding(tmp_path, ingest.url) as (committer, forwarder):
        await wait_until(lambda: committer.spool._tail._due == 1)
        statements = list[str]()
        committer.spool._db.set_trace_callback(statements.append)
        for n in range(40):
            await commit(committer, batch(10, 10 * n))
            await wait_until(lambda n=n: forwarder._sent == n + 1)
        committer.spool._db.set_trace_callback(None)
        await wait_until(lambda: committer.spool.tally.batches == 0)
    assert [sample.time for sample in ingest.samples()] == list(range(400))
    assert sum(sql.startswith("INSERT INTO batch") for sql in statements) == 40
    assert not [sql for sql in statements if sql.startswith("SELECT") and "FROM batch" in sql]
    assert not ingest.mismatches


async def test_what_comes_faster_than_it_is_sent_is_read_from_the_disk_and_in_order(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]
) -> None:
    async with forwarding(tmp_path, ingest.url) as (committer, _):
        await asyncio.gather(*(commit(committer, batch(10, 10 * n), f"source-{n % 7}") for n in range(300)))
        await wait_until(lambda: committer.spool.tally.batches == 0)
    assert sorted(sample.time for sample in ingest.samples()) == list(range(3_000))
    assert not ingest.mismatches


async def test_a_server_that_is_away_loses_nothing(
    tmp_path: Path, restartable: Any, wait_until: Callable[..., Any]
) -> None:
    restartable.stop()
    async with forwarding(tmp_path, restartable.ingest.url) as (committer, forwarder):
        for n in range(5):
            await commit(committer, batch(10, 10 * n))
        await wait_until(lambda: "No server answers" in forwarder.sentence)
        restartable.start()
        await wait_until(lambda: committer.spool.tally.batches == 0)
        assert forwarder.sentence == ""
    assert len(restartable.ingest.samples()) == 50


async def test_unavailable_is_tried_again(tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]) -> None:
    ingest.unavailable = True
    async with forwarding(tmp_path, ingest.url) as (committer, forwarder):
        await commit(committer, batch(10))
        await wait_until(lambda: "HTTP 503: starting" in forwarder.sentence)
        ingest.unavailable = False
        await wait_until(lambda: committer.spool.tally.batches == 0)


async def test_a_rejected_batch_is_put_aside_and_the_rest_goes_on(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]
) -> None:
    ingest.refuse = lambda got: "The tag is unknown." if got.time[0] == 10 else ""
    async with forwarding(tmp_path, ingest.url) as (committer, _):
        for n in range(3):
            await commit(committer, batch(10, 10 * n))
        await wait_until(lambda: committer.spool.tally.batches == 0)
        assert committer.spool.rejected() == [(2, "machining", "The tag is unknown.")]
        counts = committer.spool.tally.of("machining")
        assert (counts.accepted, counts.rejected, counts.spooled) == (30, 10, 0)
    assert len(ingest.samples()) == 20
    assert [body["sentence"] for body in ingest.rejected.values()] == ["The tag is unknown."]
    assert not ingest.mismatches


async def test_a_refused_token_is_said_and_a_new_one_is_used(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopfloor.gateway.forward._SLOW_S", 0.05)
    ingest.token = "secret"
    file = tmp_path / "token"
    async with forwarding(tmp_path / "data", ingest.url, Token(file)) as (committer, forwarder):
        await commit(committer, batch(10))
        await wait_until(lambda: "token cannot be used (No such file or directory): copy" in forwarder.sentence)
        file.write_bytes(b"\xff\x00")
        await wait_until(lambda: "token cannot be used (it holds no text): copy" in forwarder.sentence)
        file.write_text("two words")
        await wait_until(lambda: "token cannot be used (it holds more than one word): copy" in forwarder.sentence)
        file.write_text("wrong")
        await wait_until(lambda: "refuses the token of this gateway (HTTP 401): copy" in forwarder.sentence)
        file.write_text("secret\n")
        await wait_until(lambda: committer.spool.tally.batches == 0)
    assert len(ingest.samples()) == 10


async def test_an_idle_gateway_says_what_its_health_report_met(tmp_path: Path, ingest: Any) -> None:
    async with forwarding(tmp_path, ingest.url) as (_, forwarder):
        forwarder.hear("No server answers.")
        assert forwarder.sentence == "No server answers."
        forwarder.hear("")
        assert forwarder.sentence == ""


async def test_an_answer_that_was_lost_stores_nothing_twice(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]
) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool.append(list(entries("machining", batch(10))))
        ingest.expected[spool.id] = 2
        ingest.counts[spool.id, "machining"] = [10, 0]
    async with forwarding(tmp_path, ingest.url) as (committer, forwarder):
        await commit(committer, batch(10, 10))
        await wait_until(lambda: committer.spool.tally.batches == 0)
        assert forwarder.duplicates == 1
    assert len(ingest.samples()) == 10
    assert not ingest.mismatches


@pytest.mark.parametrize("copied", [False, True])
async def test_a_replaced_server_or_a_restored_copy_starts_a_new_identity(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any], copied: bool
) -> None:
    with Spool.open(tmp_path, "edge") as spool:
        spool.append(list(entries("machining", batch(10))))
        if copied:
            ingest.expected[spool.id] = 9
        spool.forget(spool.peek())
        old = spool.id
    async with forwarding(tmp_path, ingest.url) as (committer, _):
        await commit(committer, batch(10, 10))
        await commit(committer, batch(10, 20))
        await wait_until(lambda: committer.spool.tally.batches == 0)
        assert committer.spool.id != old
    assert [sample.time for sample in ingest.samples()] == list(range(10, 30))
    assert not ingest.mismatches


async def test_big_batches_are_forwarded_fast(tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]) -> None:
    """At least a million values a second are possible; a tenth of it must hold on a busy machine."""
    ingest.keep = False
    rows, times = 200_000, 10
    big = Batch(
        (TAG,),
        np.zeros(rows, np.int32),
        np.arange(rows),
        np.random.default_rng(1).random(rows),
        np.zeros(rows, np.uint32),
    )
    async with forwarding(tmp_path, ingest.url) as (committer, _):
        start = time.perf_counter()
        for _ in range(times):
            await commit(committer, big)
        await wait_until(lambda: committer.spool.tally.batches == 0)
        rate = rows * times / (time.perf_counter() - start)
    assert rate > 100_000


async def test_a_large_batch_is_split_before_the_commit() -> None:
    parts = list(entries("a", batch(450_001)))
    assert [part.values for part in parts] == [200_000, 200_000, 50_001]
    text = Batch.of([Sample(TAG, n, "x" * 9_000_000) for n in range(3)])
    assert [part.values for part in entries("a", text)] == [1, 1, 1]
