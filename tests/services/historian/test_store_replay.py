"""A start with a long log: open at once, take values at once and in order, answer when all is there."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from shopfloor.plant import Batch, Sample, StoreError
from shopfloor.services.historian import Historian, Options, replay
from shopfloor.services.historian.replay import Replay

TAG = "delta/area/line/cell/asset/power"
NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
OPTIONS = Options(reserve_bytes=0, flush_age_s=3600, flush_rows=200)
BATCHES = 100


class Gate:
    """Lets the background read as many portions of the log back as it is told."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._allowed = self._read = 0
        self._step = Replay._step

    def step(self, portions: int) -> None:
        """Let so many more be read."""
        with self._changed:
            self._allowed += portions
            self._changed.notify_all()

    def wait(self) -> None:
        """Until all of them were read."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._read >= self._allowed, 20)

    def read(self, one: Replay) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._read < self._allowed, 0.05):
                return
        self._step(one)
        with self._changed:
            self._read += 1
            self._changed.notify_all()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Gate:
    assert folder.exists()
    gate = Gate()
    monkeypatch.setattr(replay, "PATIENCE_S", -1.0)
    monkeypatch.setattr(replay, "_PORTION", 10)
    monkeypatch.setattr(Replay, "_step", lambda one: gate.read(one))  # noqa: PLW0108 (binds, as a method does)
    return gate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Historian.open(tmp_path / "store", options=Options(reserve_bytes=0, flush_age_s=3600)) as store:
        for sequence in range(1, BATCHES + 1):
            store.ingest("edge", sequence, "s", sequence * 10, ramp(sequence))
    return tmp_path / "store"


def ramp(sequence: int) -> Batch:
    time = NOON + np.arange(sequence * 10, sequence * 10 + 10, dtype=np.int64)
    return Batch((TAG,), np.zeros(10, np.int32), time, np.full(10, float(sequence)), np.zeros(10, np.uint32))


def values(store: Historian) -> list[float]:
    numbers: list[float] = store.reader.read([TAG], 0, 2 * NOON).column("value").to_pylist()
    return numbers


def asked(store: Historian) -> tuple[threading.Thread, list[object]]:
    """Questions on another thread, and where their answers come."""
    answers: list[object] = []

    def ask() -> None:
        answers.append(store.reader.latest([TAG]).column("value").to_pylist())
        answers.append(values(store))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def test_values_are_taken_at_once_and_in_order_and_questions_wait_for_all(folder: Path, gate: Gate) -> None:
    with Historian.open(folder, options=OPTIONS) as store:
        gate.step(2)
        again = Batch.of([Sample(TAG, NOON + 1000, -1.0), Sample(TAG, NOON + 1009, -2.0)])
        assert store.ingest("edge", BATCHES + 1, "s", BATCHES * 10 + 2, again).values == 2
        assert "reads its log back" in store.stats()["sentence"]
        thread, answers = asked(store)
        gate.step(6)
        gate.wait()
        assert thread.is_alive()
        assert not answers
        gate.step(BATCHES)
        thread.join(20)
        expected = [float(number) for number in range(1, BATCHES + 1) for _ in range(10)]
        expected[-10], expected[-1] = -1.0, -2.0
        assert answers == [[-2.0], expected]
        assert store.ingest("edge", BATCHES + 2, "s", BATCHES * 10 + 12, ramp(BATCHES + 1)).values == 10
        assert values(store) == [*expected, *[float(BATCHES + 1)] * 10]
        store.flush()
        assert store.stats()["memory_rows"] == 0
    with Historian.open(folder, options=OPTIONS) as store:
        gate.step(BATCHES)
        assert len(values(store)) == BATCHES * 10 + 10
        assert all(account.balanced for account in store.ledger())


def test_a_store_that_closes_in_the_middle_loses_nothing(folder: Path, gate: Gate) -> None:
    store = Historian.open(folder, options=OPTIONS)
    gate.step(4)
    store.ingest("edge", BATCHES + 1, "s", BATCHES * 10 + 10, ramp(BATCHES + 1))
    reader = store.reader
    store.close()
    with pytest.raises(StoreError, match="closed before its log was read back"):
        reader.latest([TAG])
    gate.step(2 * BATCHES)
    with Historian.open(folder, options=OPTIONS) as store:
        assert len(values(store)) == BATCHES * 10 + 10


def test_a_fault_of_the_background_is_told_to_whoever_asks(
    folder: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Replay) -> None:
        raise KeyError("a fault of the code")

    monkeypatch.setattr(Replay, "_step", fail)
    with Historian.open(folder, options=OPTIONS) as store:
        with pytest.raises(StoreError, match=r"log cannot be read back \(KeyError: 'a fault of the code'\)"):
            values(store)
        assert store.stats()["state"] == "failed"
        assert store.ingest("edge", BATCHES + 1, "s", BATCHES * 10 + 10, ramp(BATCHES + 1)).values == 10
    monkeypatch.undo()
    with Historian.open(folder, options=OPTIONS) as store:
        assert len(values(store)) == BATCHES * 10 + 10
    del gate


def test_a_short_log_is_there_when_the_store_is_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "PATIENCE_S", 60.0)
    with Historian.open(folder, options=OPTIONS) as store:
        assert store.stats()["rows"] == BATCHES * 10
