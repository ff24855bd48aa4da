"""The embedded stores as the measured process holds them: ours and DuckDB."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from shopfloor.plant import Batch
from shopfloor.services.bench.store.questions import Answer, Question
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.read.calendar import every
from shopfloor.services.historian.read.summary import summarize_by


class Engine(Protocol):
    """A store in this process."""

    def append(self, body: bytes) -> None:
        """Make a batch durable."""
        ...

    def settle(self, force: bool) -> None:
        """Do all work that is due; with `force`, merge as far as it goes."""
        ...

    def ask(self, question: Question) -> Callable[[], Answer]:
        """Answer; what is returned counts the answer, outside of the measured time."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class Ours:
    """The historian. Memory is bounded as by default."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._sequence, self._accepted = folder, itertools.count(1), 0
        self._store = Historian.open(folder)

    def append(self, body: bytes) -> None:
        """Read a batch as the server does, and ingest it."""
        batch = Batch.from_bytes(body)
        self._accepted += len(batch)
        self._store.ingest("bench", next(self._sequence), "load", self._accepted, batch, body)

    def settle(self, force: bool) -> None:
        """Flush and compact until nothing changes; with `force`, whatever lies beside another segment."""
        self._store.flush()
        if force:
            self._store.close()
            self._store = Historian.open(self._folder, options=Options(compact_segments=2))
        before = -1
        while before != (before := self._store.stats()["segments"]):
            self._store.maintain()

    def ask(self, question: Question) -> Callable[[], Answer]:
        """From the reader."""
        reader, tags = self._store.reader, question.tags
        if question.kind == "latest":
            table = reader.latest()
            return lambda: _counted(table.column("value"))
        if question.kind == "raw":
            table = reader.read(tags, question.start, question.end)
            return lambda: _counted(table.column("value"))
        if question.rows:
            return self._from_rows(question)
        if question.kind == "by_asset":
            periods = every(question.every, question.start, question.end)
            table = summarize_by(reader, tags, periods, "asset", of=("mean",))
            return lambda: _counted(table.column("mean"))
        table = reader.aggregate(tags, question.start, question.end, question.every, of=("mean", "min", "max"))
        mean = pc.divide(table.column("sum"), table.column("n"))
        return lambda: _counted(mean, table.column("min"), table.column("max"))

    def _from_rows(self, question: Question) -> Callable[[], Answer]:
        """The mean by asset without summaries that are kept."""
        reader, span = self._store.reader, (question.start, question.end)
        table = reader.aggregate(question.tags, *span, question.every, of=("mean",), ways=_ROWS)
        assets = _assets(question.tags)[table.column("tag").combine_chunks().indices.to_numpy()]
        sums, counts = (np.bincount(assets, table.column(name).to_numpy()) for name in ("sum", "n"))
        return lambda: _counted(sums / counts)

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class Duck:
    """DuckDB with one table, written from Arrow, a batch a transaction; tags are numbers with a table of their names.

    No primary key: with one it would not carry the load, and without one a repeated batch is stored twice.
    """

    def __init__(self, folder: Path) -> None:
        import duckdb

        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "store.duckdb"
        self._db = duckdb.connect(str(self._file))
        self._db.execute(_TABLES)
        self._ids: dict[str, int] = {}

    def append(self, body: bytes) -> None:
        """Insert and commit."""
        with pa.ipc.open_stream(body) as stream:
            record = stream.read_all().combine_chunks()
        tag = record.column("tag").chunk(0)
        ids = self._numbers(tag.dictionary.to_pylist())[tag.indices.to_numpy()]
        columns = [pa.array(ids), record.column("time").cast(pa.int64()), record.column("value")]
        batch = pa.table([*columns, record.column("quality")], ["tag", "time", "value", "quality"])
        self._db.register("batch", batch)
        self._db.execute("INSERT INTO samples SELECT * FROM batch")
        self._db.unregister("batch")

    def _numbers(self, names: list[str]) -> np.ndarray[Any, np.dtype[np.int32]]:
        fresh = [name for name in names if name not in self._ids]
        for name in fresh:
            self._ids[name] = len(self._ids)
        if fresh:
            rows = [(self._ids[name], name, name.rpartition("/")[0]) for name in fresh]
            table = pa.table(list(zip(*rows, strict=True)), ["tag", "name", "asset"])
            self._db.register("fresh", table)
            self._db.execute("INSERT INTO tags SELECT * FROM fresh")
            self._db.unregister("fresh")
        return np.array([self._ids[name] for name in names], np.int32)

    def settle(self, force: bool) -> None:
        """Write the log into the file."""
        self._db.execute("CHECKPOINT")

    def ask(self, question: Question) -> Callable[[], Answer]:
        """In SQL, with the numbers of the tags known, on a cursor of this thread."""
        ids = [self._ids[tag] for tag in question.tags]
        known = {"one": ids[0], "low": min(ids), "high": max(ids)} if ids else {}
        known |= {"start": question.start, "end": question.end, "every": question.every}
        sql, columns = _SQL[question.kind]
        wanted = {name: known[name] for name in known if f"${name}" in sql}
        table = self._db.cursor().execute(sql, wanted).to_arrow_table()
        return lambda: _counted(*(table.column(name) for name in columns))

    def close(self) -> None:
        """Close the file."""
        self._db.close()


_TABLES: Final = """
CREATE TABLE IF NOT EXISTS tags (tag INTEGER, name TEXT, asset TEXT);
CREATE TABLE IF NOT EXISTS samples (tag INTEGER, time BIGINT, value DOUBLE, quality UINTEGER);
"""
_SPAN: Final = "time >= $start AND time < $end"
_RAW: Final = f"SELECT time, value, quality FROM samples WHERE tag = $one AND {_SPAN} ORDER BY time"  # noqa: S608
_BUCKETS: Final = f"""
SELECT (time - $start) // $every AS bucket, avg(value) AS mean, min(value) AS low, max(value) AS high
FROM samples WHERE tag = $one AND {_SPAN} GROUP BY bucket ORDER BY bucket
"""  # noqa: S608
_BY_ASSET: Final = f"""
SELECT asset, avg(value) AS mean FROM samples JOIN tags USING (tag)
WHERE tag BETWEEN $low AND $high AND {_SPAN} GROUP BY asset
"""  # noqa: S608
_SQL: Final = {
    "latest": ("SELECT tag, max(time), arg_max(value, time) AS value FROM samples GROUP BY tag", ["value"]),
    "raw": (_RAW, ["value"]),
    "buckets": (_BUCKETS, ["mean", "low", "high"]),
    "by_asset": (_BY_ASSET, ["mean"]),
}

_ROWS: Final = ("raw", "DuckDB")
"""The ways of the planner that read rows."""

ENGINES: Final[dict[str, Callable[[Path], Engine]]] = {"ours": Ours, "duckdb": Duck}


def _assets(tags: object) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The number of each tag's asset."""
    names = [str(tag).rpartition("/")[0] for tag in tags]  # type: ignore[attr-defined]
    return np.unique(names, return_inverse=True)[1]


def _counted(*columns: Any) -> Answer:
    return Answer(len(columns[0]), sum(float(np.sum(np.asarray(column))) for column in columns))
