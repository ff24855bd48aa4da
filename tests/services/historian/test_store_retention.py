"""Retention: values go, day by day and tag by tag, and their summaries stay; an older folder is taken over."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shopfloor.plant import Batch, Sample
from shopfloor.services.historian import Historian, Options, Retention
from shopfloor.services.historian.care.snapshot import held
from shopfloor.services.historian.care.verify import verify
from shopfloor.services.historian.segments import catalogue, segment

POWER = "delta/area/line/cell/asset/power"
SHAKE = "delta/area/line/cell/asset/vibration.x"
STATE = "delta/area/line/cell/asset/state"
S, DAY = 1_000_000_000, 86_400_000_000_000
HOUR, MINUTE = 3600 * S, 60 * S
START = 20_000 * DAY
DAYS = 4


def options(**retention: Any) -> Options:
    return Options(reserve_bytes=0, group_rows=100, retention=Retention(**retention))


def fill(store: Historian) -> None:
    """Four days, a flush each: half an hour of each at 0.5 Hz, and a state."""
    for day in range(DAYS):
        time = START + day * DAY + np.arange(900) * 2 * S
        value = (np.arange(900) % 100).astype(float)
        tag, time = np.repeat([0, 1], 900).astype(np.int32), np.tile(time, 2)
        batch = Batch((POWER, SHAKE), tag, time, np.tile(value, 2), np.zeros(1800, np.uint32))
        store.ingest("edge", 2 * day + 1, "s", day * 1801 + 1800, batch)
        store.ingest("edge", 2 * day + 2, "s", day * 1801 + 1801, Batch.of([Sample(STATE, int(time[0]), "RUN")]))
        store.flush()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Historian.open(tmp_path / "store", options=options()) as store:
        fill(store)
    return tmp_path / "store"


def at_noon_of(day: int) -> Any:
    return lambda: START + day * DAY + DAY // 2


def days_of(store: Historian, tag: str) -> list[int]:
    time = store.reader.read([tag], 0, 2**62).column("time").cast("int64").to_numpy()
    return np.unique((time - START) // DAY).tolist()


def summaries(store: Historian, every: int, tag: str = POWER) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = store.reader.aggregate([tag], START, START + DAYS * DAY, every).to_pylist()
    return rows


def files(folder: Path, level: str) -> int:
    return len(list(folder.glob(f"day=*/*.{level}.parquet")))


def check(folder: Path) -> None:
    with held(folder) as snapshot:
        assert list(verify(snapshot)) == []


@pytest.mark.parametrize("every", [HOUR, MINUTE, 7 * MINUTE, DAY])
def test_summaries_outlive_their_values(folder: Path, every: int) -> None:
    with Historian.open(folder, options=options(raw_s=86_400), clock=at_noon_of(4)) as store:
        before = summaries(store, every), summaries(store, every, SHAKE)
        store.maintain()
        assert (days_of(store, POWER), days_of(store, STATE)) == ([3], [3])
        assert (summaries(store, every), summaries(store, every, SHAKE)) == before
        assert store.stats()["rows"] == 1801
        bytes_left = store.stats()["bytes"]
        store.maintain()
        assert store.stats()["bytes"] == bytes_left, "nothing is forgotten twice"
        picture = store.reader.downsample(POWER, START, START + HOUR // 2, 1000)
        assert max(picture.column("high").to_pylist()) == 99.0
    with Historian.open(folder, options=options(raw_s=86_400), clock=at_noon_of(4)) as store:
        assert (summaries(store, every), summaries(store, every, SHAKE)) == before
    check(folder)


def test_minutes_and_hours_have_their_own_time(folder: Path) -> None:
    keep = options(raw_s=0, minutes_s=86_400, hours_s=2 * 86_400)
    with Historian.open(folder, options=keep, clock=at_noon_of(4)) as store:
        store.maintain()
        assert (files(folder, "minutes"), files(folder, "hours")) == (1, 2)
        assert [row["n"] for row in summaries(store, HOUR)] == [900, 900]
        assert [row["n"] for row in summaries(store, MINUTE)] == [900] + 30 * [30], "as fine as it is still known"
        assert store.reader.latest([POWER]).column("value").to_pylist() == [99.0]
    with Historian.open(folder, options=keep, clock=at_noon_of(9)) as store:
        store.maintain()
        assert (store.stats()["segments"], list(folder.glob("day=*/*"))) == (0, [])


def test_some_tags_go_earlier_and_some_later(folder: Path) -> None:
    keep = options(
        raw_s=2 * 86_400, tags=((SHAKE.replace("asset/", "*/"), 0.0), ("delta/area/line/cell/asset/st*", 1e9))
    )
    with Historian.open(folder, options=keep, clock=at_noon_of(4)) as store:
        before = summaries(store, HOUR), summaries(store, HOUR, SHAKE)
        store.maintain()
        assert [days_of(store, tag) for tag in (POWER, SHAKE, STATE)] == [[2, 3], [], [0, 1, 2, 3]]
        assert (summaries(store, HOUR), summaries(store, HOUR, SHAKE)) == before
        assert [row["n"] for row in summaries(store, DAY, SHAKE)] == [900] * DAYS
    check(folder)


def test_late_values_of_a_forgotten_time_add_to_what_is_known_of_it(folder: Path) -> None:
    with Historian.open(folder, options=options(raw_s=86_400), clock=at_noon_of(4)) as store:
        store.maintain()
        late = [Sample(POWER, START + n * S, 1000.0) for n in (1801, 1803)]
        store.ingest("edge", 9, "s", DAYS * 1801 + 2, Batch.of(late))
        for _ in range(2):
            first = summaries(store, HOUR)[0]
            assert (first["n"], first["max"], first["last"]) == (902, 1000.0, 1000.0)
            store.flush()
            store.maintain()
    check(folder)


def test_a_fault_between_the_files_and_the_catalogue_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(5, "the disk is away")

    with monkeypatch.context() as broken:
        broken.setattr(catalogue, "remove", fail)
        with Historian.open(folder, options=options(raw_s=86_400), clock=at_noon_of(4)) as store:
            with pytest.raises(OSError, match="the disk is away"):
                store.maintain()
            assert days_of(store, POWER) == [0, 1, 2, 3]
    with Historian.open(folder, options=options(), clock=at_noon_of(4)) as store:
        assert days_of(store, POWER) == [0, 1, 2, 3]
    check(folder)


def test_a_folder_of_the_version_before_is_taken_over(folder: Path) -> None:
    with Historian.open(folder, options=options()) as store:
        before = summaries(store, HOUR)
        store.ingest("edge", 9, "s", DAYS * 1801 + 1, Batch.of([Sample(POWER, START + 9 * DAY, 7.0)]))
    _as_version_3(folder)
    with Historian.open(folder, options=options(raw_s=86_400), clock=at_noon_of(4)) as store:
        assert summaries(store, HOUR) == [row | {"increase": None} for row in before]
        assert store.reader.read([POWER], START + 9 * DAY, 2**62).column("value").to_pylist() == [7.0]
        assert store.ingest("edge", 10, "s", DAYS * 1801 + 2, Batch.of([Sample(POWER, START + S, 8.0)])).values
        store.flush()
        store.maintain()
        assert days_of(store, POWER) == [3, 9]
        assert [row["n"] for row in summaries(store, HOUR)] == [901, 900, 900, 900]
        assert all(account.balanced for account in store.ledger())
    check(folder)


def _as_version_3(folder: Path) -> None:
    """What the version before wrote: its schema, and rollups that do not know what counters counted."""
    import pyarrow.parquet as pq

    with sqlite3.connect(folder / "log.db") as db:
        db.executescript(
            """
            CREATE TABLE older(
                id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, day TEXT, name TEXT UNIQUE, rows INTEGER,
                size INTEGER, precedence INTEGER, level INTEGER, start INTEGER, stop INTEGER, groups BLOB,
                minutes BLOB, hours BLOB);
            INSERT INTO older SELECT id, kind, day, name, rows, size, precedence, level, start, stop, groups, minutes,
                hours FROM segments;
            DROP TABLE segments;
            ALTER TABLE older RENAME TO segments;
            PRAGMA user_version = 3;
            """
        )
    db.close()
    for file in folder.glob("day=*/*.states.parquet"):
        file.unlink()
    for file in folder.glob("day=*/*.*.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["increase"]), file, row_group_size=100)
    segment._metadata.cache_clear()


def test_summaries_of_both_kinds_of_number_in_one_hour_outlive_their_values(tmp_path: Path) -> None:
    time = START + np.arange(900) * 2 * S
    with Historian.open(tmp_path, options=options()) as store:
        for sequence, values in enumerate((np.arange(900.0), np.arange(900)), 1):
            batch = Batch((POWER,), np.zeros(900, np.int32), time + sequence * 1000, values, np.zeros(900, np.uint32))
            store.ingest("edge", sequence, "s", 900 * sequence, batch)
        store.flush()
        before = [(row["n"], row["sum"], row["min"], row["max"]) for row in summaries(store, HOUR)]
    with Historian.open(tmp_path, options=options(raw_s=86_400), clock=at_noon_of(4)) as store:
        store.maintain()
        assert days_of(store, POWER) == []
        assert [(row["n"], row["sum"], row["min"], row["max"]) for row in summaries(store, HOUR)] == before
        assert before == [(1800, 2 * 899 * 450.0, 0.0, 899.0)]
