"""A notebook reads the folder of a store that another process fills, flushes and compacts all the while."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shopfloor.plant import Batch, StoreError
from shopfloor.services.exchange.recorded import recorded
from shopfloor.services.historian import Historian, Options, open_folder
from shopfloor.services.historian.care.log_checks import check_log
from shopfloor.services.historian.care.snapshot import held

ROWS, TAGS = 500, tuple(f"delta/area/line/cell/asset/t{i}" for i in range(5))
ORIGIN = 20_000 * 86_400_000_000_000
WRITER = """
import itertools, sys
from shopfloor.services.historian import Historian, Options
sys.path.insert(0, {tests!r})
from test_outside import batch, OPTIONS
with Historian.open({folder!r}, options=OPTIONS) as store:
    for sequence in itertools.count(1):
        store.ingest("edge", sequence, "s", sequence * 500, batch(sequence))
        print(sequence, flush=True)
"""
OPTIONS = Options(flush_rows=2_000, group_rows=512, compact_segments=3, reserve_bytes=0)


def batch(sequence: int) -> Batch:
    rows = np.arange(ROWS)
    time = ORIGIN + (sequence * ROWS + rows) * 1_000_000
    return Batch(TAGS, (rows % 5).astype(np.int32), time, np.full(ROWS, float(sequence)), np.zeros(ROWS, np.uint32))


@contextmanager
def filling(folder: Path) -> Iterator[subprocess.Popen[str]]:
    program = WRITER.format(tests=str(Path(__file__).parent), folder=str(folder))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def test_each_look_is_one_whole_moment(tmp_path: Path) -> None:
    names: set[str] = set()
    with filling(tmp_path) as child:
        assert child.stdout is not None
        for _ in range(5):
            known = [int(child.stdout.readline()) for _ in range(15)][-1]
            with open_folder(tmp_path) as folder:
                looked = folder.reader.read(TAGS, 0, 2**62)
                counts = Counter(looked.column("value").to_pylist())
                assert set(counts.values()) == {ROWS}, "a batch is there in part, or twice"
                assert sorted(counts) == list(range(1, len(counts) + 1))
                assert len(counts) >= known, "what was acknowledged before is there"
                assert max(folder.reader.latest().column("value").to_pylist()) == len(counts)
                in_files = sum(pq.read_metadata(path).num_rows for path in folder.files)
                assert in_files <= looked.num_rows
                names |= {path.name for path in folder.files}
                whole = duckdb.read_parquet([str(path) for path in folder.files]).aggregate("count(*)").fetchall()
                assert whole == [(in_files,)]
                assert pa.Table.from_batches(list(folder.reader.sql("SELECT count(*) AS n FROM samples").batches()))[
                    "n"
                ].to_pylist() == [looked.num_rows]
    assert len(names) > 5, "files were replaced meanwhile"
    with Historian.open(tmp_path, options=OPTIONS):
        assert not any((tmp_path / "pins").iterdir())


def test_a_folder_without_a_store_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store in"), open_folder(tmp_path):
        pass


def test_a_damaged_batch_is_passed_over(tmp_path: Path) -> None:
    """Its bytes are not those that were committed: as decoded they may be other values, or none at all."""
    with Historian.open(tmp_path, options=Options(reserve_bytes=0)) as store:
        for sequence in range(1, 6):
            store.ingest("edge", sequence, "s", sequence * ROWS, batch(sequence))
    for sequence, at in ((2, 0), (4, -3000)):
        with closing(sqlite3.connect(tmp_path / "log.db")) as db, db:
            (body,) = db.execute("SELECT body FROM log WHERE sequence = ?", (sequence,)).fetchone()
            data = bytearray(body)
            data[at] ^= 0x10
            db.execute("UPDATE log SET body = ? WHERE sequence = ?", (bytes(data), sequence))
    with open_folder(tmp_path) as folder:
        values = folder.reader.read(TAGS, 0, 2**62).column("value").to_pylist()
        assert Counter(values) == {1.0: ROWS, 3.0: ROWS, 5.0: ROWS}
        assert folder.reader.latest().column("value").to_pylist() == [5.0] * 5
    with held(tmp_path) as snapshot:
        found = recorded(snapshot)
        assert [said.partition(" is damaged")[0].partition("log.db: ")[2] for said in found.damaged] == [
            f"batch {sequence} of gateway edge" for sequence in (2, 4)
        ]
        assert list(check_log(snapshot, set(TAGS))) == found.damaged
