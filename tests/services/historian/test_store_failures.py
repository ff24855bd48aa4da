"""What should not happen, happens: the store says so, goes on as long as it can, and recovers by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shopfloor.plant import Batch, SinkUnavailable
from shopfloor.services.historian import Historian, Options, keeper, writer
from shopfloor.services.historian.segments.segment_writer import flush

TAG = "delta/area/line/cell/asset/power"
NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
OPTIONS = Options(reserve_bytes=0, flush_rows=100, flush_age_s=0.1, compact_segments=2, backlog=2, patience_s=0.2)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_RETRY_S", dict.fromkeys(keeper._RETRY_S, (0.05, 0.2)))


def ramp(start: int, count: int = 100) -> Batch:
    at = NOON + (start + np.arange(count, dtype=np.int64)) * 1_000_000_000
    numbers = np.arange(start, start + count, dtype=np.float64)
    return Batch((TAG,), np.zeros(count, np.int32), at, numbers, np.zeros(count, np.uint32))


def fill(store: Historian, first: int, upto: int) -> tuple[int, str]:
    """Ingest batches first, first + 1…; answers the last one stored and why the next one was refused."""
    for sequence in range(first, upto):
        try:
            store.ingest("edge", sequence, "s", sequence * 100, ramp(sequence * 100))
        except SinkUnavailable as problem:
            return sequence - 1, str(problem)
    return upto - 1, ""


def until(happens: Callable[[], Any], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def rows(store: Historian) -> int:
    return int(store.reader.read([TAG], 0, 2 * NOON, columns=("time",)).num_rows)


def fail(*_: Any) -> Any:
    raise KeyError("a fault of the code")


def test_a_failing_flush_is_seen_ingest_goes_on_to_the_limit_and_it_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeper, "flush", fail)
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 100, ramp(100))
        until(lambda: store.stats()["state"] == "failed")
        sentence = store.stats()["sentence"]
        assert f"Flushing in {tmp_path} failed (KeyError: 'a fault of the code'): it is tried again" in sentence
        last, refusal = fill(store, 2, 1000)
        assert last >= 2
        assert refusal == sentence
        assert rows(store) == last * 100
        monkeypatch.setattr(keeper, "flush", flush)
        until(lambda: store.stats()["state"] == "ok" and not store.stats()["memory_rows"])
        until(lambda: fill(store, last + 1, last + 2)[0] == last + 1)
        assert rows(store) == (last + 1) * 100
    assert caplog.text.count("a fault of the code") <= 4, "the same fault is told once"


def test_a_failing_compaction_does_not_keep_the_flush_from_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "compact", fail)
    with Historian.open(tmp_path, options=replace(OPTIONS, patience_s=20)) as store:
        assert fill(store, 1, 10) == (9, "")
        until(lambda: store.stats()["state"] == "failed")
        assert "Compaction in" in store.stats()["sentence"]
        assert fill(store, 10, 20) == (19, "")
        until(lambda: not store.stats()["memory_rows"])
        assert rows(store) == 1900


def test_a_background_thread_that_ended_is_seen(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store._keeper._run = lambda: None  # type: ignore[method-assign]
        store._keeper.close()
        store._keeper._closing = False
        assert store.stats()["state"] == "failed"
        assert "restart the server" in store.stats()["sentence"]


def test_a_fault_while_storing_is_never_taken_for_an_acknowledgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        with monkeypatch.context() as broken:
            broken.setattr(writer, "append", fail)
            with pytest.raises(SinkUnavailable, match="a fault of the code"):
                store.ingest("edge", 1, "s", 100, ramp(100))
            assert store.stats()["state"] == "failed"
        assert store.ingest("edge", 1, "s", 100, ramp(100)).values == 100
        assert store.stats()["state"] == "ok"
        assert rows(store) == 100
    with Historian.open(tmp_path, options=OPTIONS) as store:
        assert rows(store) == 100


def test_a_committed_batch_that_cannot_be_shown_stays_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        with monkeypatch.context() as broken:
            broken.setattr(store._shelf, "append", fail)
            assert store.ingest("edge", 1, "s", 100, ramp(100)).values == 100
        assert "cannot be read before the server is restarted" in store.stats()["sentence"]
        fill(store, 2, 4)
        store.flush()
    with Historian.open(tmp_path, options=OPTIONS) as store:
        assert rows(store) == 300


def test_the_log_gives_free_pages_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_SPARE_PAGES", 16)
    file = tmp_path / "log.db"
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        for sequence in range(1, 41):
            store.ingest("edge", sequence, "s", sequence * 5000, ramp(sequence * 5000, 5000))
    before = file.stat().st_size
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        store.flush()
        store.maintain()
    assert before > 4_000_000
    assert file.stat().st_size < 1_000_000
