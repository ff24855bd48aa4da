"""A disk that gives back other bytes than were written: what is hit is named and counted, the rest is served."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from shopfloor.plant import Batch, Sample
from shopfloor.services.historian import Historian, Options

TAG = "delta/area/line/cell/asset/power"
STATE = "delta/area/line/cell/asset/state"
NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
OPTIONS = Options(reserve_bytes=0, group_rows=100, compact_segments=3)


def ramp(start: int, count: int = 10) -> Batch:
    time = NOON + (start + np.arange(count, dtype=np.int64)) * 1_000_000_000
    numbers = np.arange(start, start + count, dtype=np.float64)
    return Batch((TAG,), np.zeros(count, np.int32), time, numbers, np.zeros(count, np.uint32))


def values(store: Historian) -> list[float]:
    numbers: list[float] = store.reader.read([TAG], 0, 2 * NOON).column("value").to_pylist()
    return numbers


def flip(file: Path, at: int) -> None:
    """Turn one bit over."""
    data = bytearray(file.read_bytes())
    data[at] ^= 0x10
    file.write_bytes(data)


def flip_in_log(folder: Path, sequence: int, at: float) -> None:
    """Turn one bit of a batch over, `at` a share of its length."""
    with sqlite3.connect(folder / "log.db") as db:
        (body,) = db.execute("SELECT body FROM log WHERE sequence = ?", (sequence,)).fetchone()
        data = bytearray(body)
        data[int(at * (len(data) - 1))] ^= 0x10
        db.execute("UPDATE log SET body = ? WHERE sequence = ?", (bytes(data), sequence))
    db.close()


@pytest.mark.parametrize("at", [0.0, 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_a_damaged_batch_in_the_log_is_set_aside_named_and_counted(tmp_path: Path, at: float) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        for number in range(3):
            store.ingest("edge", number + 1, "s", 10 * number + 10, ramp(10 * number))
    flip_in_log(tmp_path, 2, at)
    with Historian.open(tmp_path, options=OPTIONS) as store:
        assert values(store) == [*range(10), *range(20, 30)]
        stats = store.stats()
        assert stats["state"] == "damaged"
        assert "batch 2 of gateway edge is damaged" in stats["sentence"]
        assert "10 values of s are lost here unless a backup holds them" in stats["sentence"]
        (account,) = store.ledger()
        assert (account.accepted, account.stored, account.damaged, account.balanced) == (30, 20, 10, False)
        assert "batch 2 of gateway edge is damaged" in account.sentence
        assert store.ingest("edge", 4, "s", 40, ramp(30)).values == 10
        store.flush()
    with Historian.open(tmp_path, options=OPTIONS) as store:
        assert len(values(store)) == 30
        assert store.stats()["state"] == "ok"
        (account,) = store.ledger()
        assert (account.stored, account.damaged, account.mismatches) == (30, 10, 0)


def test_one_bit_anywhere_in_a_segment_is_noticed(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 500, ramp(0, 500))
        store.flush()
    (file,) = tmp_path.glob("day=*/float64-????????.parquet")
    whole = file.read_bytes()
    for at in range(0, len(whole), max(len(whole) // 60, 1)):
        flip(file, at)
        with Historian.open(tmp_path, options=OPTIONS) as store:
            found = values(store)
            assert found == list(range(500)) or (not found and store.stats()["state"] == "damaged"), at
        file.write_bytes(whole)


def test_a_damaged_segment_keeps_neither_flush_nor_compaction_of_the_rest_from_going_on(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        for number in range(5):
            store.ingest("edge", number + 1, "s", 10 * number + 10, ramp(10 * number))
            store.flush()
    victim = sorted(tmp_path.glob("day=*/float64-????????.parquet"))[1]
    flip(victim, 40)
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.maintain()
        store.maintain()
        stats = store.stats()
        assert (stats["state"], stats["segments"]) == ("damaged", 3)
        assert str(victim) in stats["sentence"]
        assert values(store) == [*range(10), *range(20, 50)]


def test_newest_values_that_are_damaged_or_missing_are_read_again_from_the_segments(tmp_path: Path) -> None:
    with Historian.open(tmp_path, options=OPTIONS) as store:
        store.ingest("edge", 1, "s", 10, ramp(0))
        store.ingest("edge", 2, "s", 11, Batch.of([Sample(STATE, NOON, "IDLE")]))
        store.flush()
    for change in ("UPDATE meta SET value = zeroblob(40) WHERE key = 'newest'", "DELETE FROM meta"):
        with sqlite3.connect(tmp_path / "log.db") as db:
            db.execute(change)
        db.close()
        with Historian.open(tmp_path, options=OPTIONS) as store:
            latest = store.reader.latest([TAG, STATE])
            assert latest.column("value").to_pylist() == [9.0, None]
            assert latest.column("text").to_pylist() == [None, "IDLE"]


def test_a_folder_of_the_first_schema_is_taken_over(tmp_path: Path) -> None:
    old = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
        CREATE TABLE tags(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, kinds INTEGER NOT NULL);
        CREATE TABLE gateways(gateway TEXT PRIMARY KEY, first INTEGER, last INTEGER) WITHOUT ROWID;
        CREATE TABLE sources(gateway TEXT, source TEXT, accepted INTEGER, stored INTEGER, rejected INTEGER,
            repeated INTEGER, baseline INTEGER, drift INTEGER, mismatches INTEGER, sentence TEXT,
            PRIMARY KEY(gateway, source)) WITHOUT ROWID;
        CREATE TABLE log(id INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT, sequence INTEGER, body BLOB,
            UNIQUE(gateway, sequence));
        INSERT INTO gateways VALUES ('edge', 1, 1);
        INSERT INTO sources VALUES ('edge', 's', 10, 10, 0, 0, 0, 0, 0, '');
        PRAGMA user_version = 1;
    """
    with sqlite3.connect(tmp_path / "log.db") as db:
        db.executescript(old)
        db.execute("INSERT INTO tags VALUES (0, ?, 1)", (TAG,))
        db.execute("INSERT INTO log(gateway, sequence, body) VALUES ('edge', 1, ?)", (ramp(0).to_bytes(),))
    db.close()
    with Historian.open(tmp_path, options=OPTIONS) as store:
        assert store.ingest("edge", 2, "s", 20, ramp(10)).values == 10
        assert values(store) == list(range(20))
        assert [account.balanced for account in store.ledger()] == [True]
