"""Ingest: durable, once, in order; every refusal is a sentence that the gateway can act on."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from running_server import POWER, Running, S, running
from shopfloor.plant import Batch, Sample, SinkUnavailable, StoreError

NOW = time.time_ns()
BODY = Batch.of([Sample(POWER, NOW, 1.0), Sample(POWER, NOW + S, 2.0)]).to_bytes()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as running_server:
        yield running_server


def test_a_repeated_batch_is_stored_once(server: Running) -> None:
    assert server.post_batch(BODY, 1, accepted=2).json() == {"stored": 2, "duplicate": False}
    assert server.post_batch(BODY, 1, accepted=2).json()["duplicate"] is True
    (source,) = server.get("/ledger")["sources"]
    assert (source["stored"], source["duplicates"], source["balanced"]) == (2, 2, True)


def test_a_missing_sequence_says_which_is_expected(server: Running) -> None:
    server.post_batch(BODY, 1, accepted=2)
    answer = server.post_batch(BODY, 5, accepted=10)
    assert (answer.status_code, answer.json()["expected"]) == (409, 2)


def test_an_answer_means_that_the_batch_is_on_the_disk(server: Running) -> None:
    server.post_batch(BODY, 1, accepted=2)
    with sqlite3.connect(f"file:{server.folder}/store/log.db?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM log").fetchone() == (1,)
    db.close()


def test_what_is_no_batch_is_rejected_and_the_sequence_goes_on(server: Running) -> None:
    answer = server.post_batch(b"no arrow", 1, accepted=2)
    assert answer.status_code == 422
    assert "no Arrow IPC stream" in answer.json()["detail"]
    said = {"gateway": "edge-1-00c0ffee", "sequence": 1, "source": "machining", "values": 2, "accepted": 2,
            "sentence": answer.json()["detail"]}  # fmt: skip
    token = {"Authorization": f"Bearer {server.token}"}
    assert server.client.post("/api/v1/ingest/rejected", json=said, headers=token).status_code == 200
    assert server.post_batch(BODY, 2, accepted=4).status_code == 200
    (source,) = server.get("/ledger")["sources"]
    assert (source["accepted"], source["rejected"], source["stored"], source["balanced"]) == (4, 2, 2, True)


def test_a_lost_value_unbalances_the_ledger(server: Running) -> None:
    server.post_batch(BODY, 1, accepted=2)
    server.post_batch(BODY, 2, accepted=5)
    ledger = server.get("/ledger")
    assert not ledger["balanced"]
    assert "1 value is missing" in ledger["sources"][0]["sentence"]


def test_a_body_beyond_16_mb_is_refused(server: Running) -> None:
    answer = server.post_batch(bytes(17 << 20), 1)
    assert answer.status_code == 413
    assert "larger than 16 MB" in answer.json()["detail"]


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(server: Running) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield bytes(1 << 20)

    headers = {"Authorization": f"Bearer {server.token}", "X-Gateway": "edge-1-00c0ffee", "X-Sequence": "1",
               "X-Source": "machining", "X-Accepted": "1"}  # fmt: skip
    try:
        answer = httpx.post(f"{server.url}/api/v1/ingest", content=endless(), headers=headers, trust_env=False)
    except httpx.WriteError:
        return
    assert answer.status_code == 413


@pytest.mark.parametrize("problem", [SinkUnavailable("The disk is full."), StoreError("The store is damaged.")])
def test_a_store_that_cannot_take_it_answers_503(
    server: Running, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise problem

    monkeypatch.setattr(server.parts.historian, "ingest", refuse)
    answer = server.post_batch(BODY, 1, accepted=2)
    assert (answer.status_code, answer.json()["detail"]) == (503, str(problem))
    assert int(answer.headers["retry-after"]) >= 1


def test_a_slow_store_keeps_nobody_else_waiting(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    store, go = server.parts.historian.ingest, threading.Event()

    def slow(*arguments: object) -> object:
        go.wait(10)
        return store(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(server.parts.historian, "ingest", slow)
    answers: list[httpx.Response] = []

    def post() -> None:
        answers.append(
            httpx.post(
                f"{server.url}/api/v1/ingest", content=BODY, timeout=20, trust_env=False,
                headers={"Authorization": f"Bearer {server.token}", "X-Gateway": "edge-1-00c0ffee", "X-Sequence": "1",
                         "X-Source": "machining", "X-Accepted": "2"},
            )
        )  # fmt: skip

    thread = threading.Thread(target=post)
    thread.start()
    began = time.monotonic()
    for _ in range(5):
        server.get("/tags")
    assert time.monotonic() - began < 5
    assert not answers
    go.set()
    thread.join(10)
    assert answers[0].json() == {"stored": 2, "duplicate": False}


def test_the_ledger_counts_what_waits_at_the_gateway(server: Running) -> None:
    server.post_batch(BODY, 1, accepted=2)
    server.post_health(accepted=10, spooled=8)
    (source,) = server.get("/ledger")["sources"]
    assert (source["accepted"], source["spooled"], source["stored"], source["balanced"]) == (10, 8, 2, True)
    server.post_health(accepted=10, spooled=3)
    (source,) = server.get("/ledger")["sources"]
    assert not source["balanced"]
    assert "5 values of machining are neither stored nor waiting" in source["sentence"]


def test_the_ledger_survives_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.post_batch(BODY, 1, accepted=2)
        server.post_health(accepted=3, spooled=1)
    with running(tmp_path) as server:
        (source,) = server.get("/ledger")["sources"]
        assert (source["accepted"], source["spooled"], source["stored"], source["balanced"]) == (3, 1, 2, True)


def test_a_restarted_server_does_not_blame_a_gateway_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.post_health()
    with running(tmp_path) as server:
        health = server.get("/health")
        assert health["sources"][0]["state"] == "waiting"
        assert "not reported since this server started" in health["sources"][0]["detail"]
        assert server.get("/alarms") == []
        server.post_health()
        assert server.get("/health")["status"] == "ok"


def test_a_gateway_with_a_new_spool_replaces_its_older_self(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.post_health("edge-1-00000001")
        server.post_health("edge-1-00000002")
        assert [s["gateway"] for s in server.get("/health")["sources"]] == ["edge-1"]
