"""SQL on the store: DuckDB over one moment of it, read only, without files, bounded in time and memory."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from shopfloor.plant import QuestionError

TABLES: Final = ("samples", "minutes", "hours", "tags", "latest")
BATCH: Final = 65_536
STOPPED: Final = "The query was stopped, since nobody waits for its answer."
_TAGS: Final = """CREATE VIEW tags AS SELECT tag, split_part(tag, '/', 1) AS site, split_part(tag, '/', 2) AS area,
split_part(tag, '/', 3) AS line, split_part(tag, '/', 4) AS cell, split_part(tag, '/', 5) AS asset,
split_part(tag, '/', 6) AS name FROM names"""
_READING: Final = {"SELECT", "EXPLAIN", "MULTI"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take."""

    seconds: float = 30.0
    memory_mb: int = 512
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Tables:
    """What a query sees: files that it may read, views by name (SQL), and makers of Arrow tables by name."""

    files: tuple[str, ...]
    views: Mapping[str, str]
    arrow: Mapping[str, Callable[[], pa.Table]]


class Query:
    """One query on its way, over tables that it holds on to.

    `cancel` may be called from any thread, and ends it with a `QuestionError`.
    """

    def __init__(self, text: str, tables: Tables, limits: Limits, stopped: Callable[[], bool] = lambda: False) -> None:
        self._text, self._tables, self._limits, self._stopped = text, tables, limits, stopped
        self._late = self._cancelled = False
        self._db = _closed_database(tables.files, limits)
        self._check()
        with self._bounded():
            for name, make in tables.arrow.items():
                if name not in TABLES or re.search(rf"\b{name}\b", text, re.IGNORECASE):
                    self._give_up_when_stopped()
                    self._db.register(name, make())
            for name, view in tables.views.items():
                self._db.execute(f"CREATE VIEW {name} AS {view}")
            self._db.execute(_TAGS)

    def cancel(self) -> None:
        """Stop working."""
        self._cancelled = True
        self._db.interrupt()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The answer in portions of `BATCH` rows; at least one, so that the columns are known. Close it when done."""
        try:
            with self._bounded():
                reader = self._db.sql(self._text).to_arrow_reader(BATCH)
            empty = True
            while True:
                with self._bounded():
                    batch = next(reader, None)
                if batch is None:
                    break
                empty = False
                yield batch
            if empty:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        finally:
            self._db.close()

    def _give_up_when_stopped(self) -> None:
        if self._stopped():
            raise QuestionError(STOPPED)

    def _check(self) -> None:
        import duckdb

        try:
            statements = self._db.extract_statements(self._text)
        except duckdb.Error as problem:
            raise QuestionError(_sentence(problem)) from problem
        kinds = [statement.type.name for statement in statements]
        if len(kinds) != 1 or kinds[0] not in _READING:
            said = f"{len(kinds)} statements" if len(kinds) != 1 else kinds[0].replace("_", " ")
            raise QuestionError(f"SQL here is one SELECT on {', '.join(TABLES)}: {said} cannot be run.")

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Let DuckDB work for as long as it may, and translate what it says."""
        import duckdb

        timer = threading.Timer(self._limits.seconds, self._time_is_up)
        timer.daemon = True
        timer.start()
        try:
            if self._cancelled:
                raise duckdb.InterruptException("cancelled before it began")
            yield
        except (duckdb.Error, pa.ArrowException, RuntimeError) as problem:
            raise QuestionError(self._explain(problem)) from problem
        finally:
            timer.cancel()

    def _time_is_up(self) -> None:
        self._late = True
        self._db.interrupt()

    def _explain(self, problem: Exception) -> str:
        if self._late:
            return too_long(self._limits)
        if self._cancelled:
            return STOPPED
        if "out of memory" in str(problem).lower():
            return f"The query needs more than {self._limits.memory_mb} MB: ask for less time, fewer tags or groups."
        return _sentence(problem)


def too_long(limits: Limits) -> str:
    """The sentence about a query that took all its time."""
    return f"The query took longer than {limits.seconds:g} s and was stopped: ask for less of it."


def _closed_database(files: tuple[str, ...], limits: Limits) -> Any:
    """A DuckDB that reaches nothing but these files, and whose settings nobody changes."""
    import duckdb

    db = duckdb.connect(":memory:")
    listed = ", ".join(f"'{quoted(path)}'" for path in files)
    for setting in (
        "temp_directory = ''", "python_enable_replacements = false", f"allowed_paths = [{listed}]",
        f"memory_limit = '{limits.memory_mb}MB'", f"threads = {limits.threads}", "TimeZone = 'UTC'",
        "autoinstall_known_extensions = false", "autoload_known_extensions = false", "enable_external_access = false",
        "lock_configuration = true",
    ):  # fmt: skip
        db.execute(f"SET {setting}")
    return db


def quoted(text: str) -> str:
    """A text inside the quotes of SQL."""
    return text.replace("'", "''")


def _sentence(problem: Exception) -> str:
    said = " ".join(str(problem).partition("LINE ")[0].split()).rstrip(".")
    return f"The query cannot be run ({said[:300]}): its tables are {', '.join(TABLES)}."
