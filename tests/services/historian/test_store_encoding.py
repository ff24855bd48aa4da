"""A day that is over: each row group is encoded as its values ask for, and every Parquet reader reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from shopfloor.plant import Batch, StoreError
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.segments.parquet_file import ParquetFile

DAY = 86_400_000_000_000
START = 20_000 * DAY
ROWS = 5_000
OPTIONS = Options(reserve_bytes=0, group_rows=1_000, flush_age_s=3600)
NAMES = tuple(f"delta/area/line/cell/asset/{name}" for name in ("valve", "current", "level", "vibration", "state"))


def plant() -> list[NDArray[np.float64]]:
    """Held and rounded values beside noise, in turn."""
    chance = np.random.default_rng(7)
    walk = np.round(np.cumsum(chance.normal(0, 0.03, ROWS)), 1)
    return [
        np.repeat([0.0, 1.0], ROWS // 2), chance.normal(size=ROWS), walk, chance.normal(size=ROWS), walk.round(),
    ]  # fmt: skip


def packed(folder: Path, values: list[NDArray[Any]]) -> Path:
    """A store's one file of a day that is over."""
    time = START + np.tile(np.arange(ROWS, dtype=np.int64) * 1_000_000, len(values))
    tag = np.repeat(np.arange(len(values), dtype=np.int32), ROWS)
    batch = Batch(NAMES[: len(values)], tag, time, np.concatenate(values), np.zeros(len(tag), np.uint32))
    with Historian.open(folder, options=OPTIONS, clock=lambda: START + 2 * DAY) as store:
        store.ingest("edge", 1, "s", len(batch), batch)
        store.flush()
        store.maintain()
        table = store.reader.read(batch.names, 0, START + DAY)
        assert np.array_equal(table.column("value").to_numpy(), batch.value)
        assert np.array_equal(table.column("time").to_numpy().view(np.int64), time)
    (path,) = folder.glob("day=*/*-????????.parquet")
    return path


def is_coded(path: Path) -> list[bool]:
    """Of each row group whether its values are coded by a dictionary."""
    file = pq.read_metadata(path)
    return ["RLE_DICTIONARY" in file.row_group(group).column(2).encodings for group in range(file.num_row_groups)]


def test_row_groups_end_where_signals_change_and_are_encoded_as_their_values_ask_for(tmp_path: Path) -> None:
    path = packed(tmp_path, list(plant()))
    coded = is_coded(path)
    assert coded == [at % 2 == 0 for at in range(5) for _ in range(3)]
    rows = [pq.read_metadata(path).row_group(group).num_rows for group in range(len(coded))]
    assert [sum(rows[first : first + 3]) for first in range(0, 15, 3)] == [ROWS] * 5


def test_a_file_of_many_encodings_is_read_by_whoever_reads_parquet(tmp_path: Path) -> None:
    values = plant()
    path = packed(tmp_path, list(values))
    expected = np.concatenate(values)
    assert np.array_equal(ds.dataset(path).to_table().column("value").to_numpy(), expected)
    assert np.array_equal(pq.read_table(path, page_checksum_verification=True).column("value").to_numpy(), expected)
    found = duckdb.sql(f"SELECT tag, max(value), count(*) FROM '{path}' WHERE tag >= 3 GROUP BY tag ORDER BY tag")
    assert found.fetchall() == [(tag, float(values[tag].max()), ROWS) for tag in (3, 4)]


def test_each_in_its_own_encoding_takes_less_than_all_in_one(tmp_path: Path) -> None:
    values = plant()
    mixed = packed(tmp_path / "mixed", list(values)).stat().st_size
    alone = sum(packed(tmp_path / str(at), [one]).stat().st_size for at, one in enumerate(values))
    assert mixed < alone


def test_whole_numbers_are_encoded_as_they_ask_for_too(tmp_path: Path) -> None:
    chance = np.random.default_rng(7)
    path = packed(tmp_path, [np.arange(ROWS) * 3, chance.choice([1, 1 << 40], ROWS)])
    assert is_coded(path) == [False] * 3 + [True] * 3


def test_a_file_that_was_given_up_is_no_parquet_file(tmp_path: Path) -> None:
    def refuse(*_: object) -> pq.ParquetWriter:
        raise StoreError("no")

    file = ParquetFile[bool](tmp_path / "file", refuse)
    with pytest.raises(StoreError):
        file.write(ds.dataset(packed(tmp_path, list(plant()[:1]))).to_table(), True)
    file.abandon()
    assert (tmp_path / "file").read_bytes() == b""
