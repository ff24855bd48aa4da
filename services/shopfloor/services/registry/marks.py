"""Marks: people's word on single predictions, right or wrong, and what was true.

A mark is a truth as any other, and outranks what machines tell of the same window: that is kept beside it, and holds
again when the mark is taken back.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mark (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, number INTEGER NOT NULL, asset TEXT NOT NULL,
    part TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, window_end INTEGER NOT NULL,
    value REAL, low REAL, high REAL, is_right INTEGER NOT NULL, true_low REAL NOT NULL, true_high REAL NOT NULL,
    by TEXT NOT NULL, note TEXT NOT NULL, time INTEGER NOT NULL, back_by TEXT NOT NULL DEFAULT '', back INTEGER,
    other_low REAL, other_high REAL, other_known INTEGER
);
CREATE INDEX IF NOT EXISTS mark_window ON mark (name, asset, part, start, end) WHERE back IS NULL;
CREATE INDEX IF NOT EXISTS mark_time ON mark (window_end);
"""
_WINDOW: Final = "back IS NULL AND name = ?1 AND asset = ?2 AND part = ?3 AND start = ?4 AND end = ?5"
_MARKED: Final = f"(SELECT 1 FROM mark WHERE {_WINDOW})"  # noqa: S608 (constants)
WRITE_LABEL: Final = f"INSERT OR REPLACE INTO label SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS {_MARKED}"
"""A truth that nobody's mark stands for."""
KEEP_BESIDE: Final = f"UPDATE mark SET other_low = ?6, other_high = ?7, other_known = ?8 WHERE {_WINDOW}"  # noqa: S608 (constants)
"""What machines tell of a marked window, for when the mark is taken back."""
_COLUMNS: Final = (
    "id, name, number, asset, part, start, end, window_end, value, low, high, is_right, true_low, true_high, by, note,"
    " time, back_by, back"
)
LabelRow = tuple[str, str, str, int, int, float, float, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """A prediction (`value` within `low` and `high`, of version `number`), and what somebody said of it.

    The truth lies within [`true_low`, `true_high`]. Times are UTC ns; `back` None: it stands.
    """

    id: int
    name: str
    number: int
    asset: str
    part: str
    start: int
    end: int
    window_end: int
    value: float | None
    low: float | None
    high: float | None
    is_right: bool
    true_low: float
    true_high: float
    by: str
    note: str
    time: int
    back_by: str = ""
    back: int | None = None

    @property
    def window(self) -> tuple[str, str, str, int, int]:
        """What the label of its window is found by."""
        return self.name, self.asset, self.part, self.start, self.end


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks in the file of the scores; safe from any thread."""

    _db: sqlite3.Connection
    _lock: threading.Lock

    def add(self, mark: Mark) -> Mark:
        """Keep a mark, and its truth as the label of the window; an older mark of it is taken back by this one."""
        with self._lock, self._db:
            other = self._other(mark)
            self._db.execute(
                f"UPDATE mark SET back = ?6, back_by = ?7 WHERE {_WINDOW}",  # noqa: S608 (constants)
                (*mark.window, mark.time, mark.by),
            )
            found = self._db.execute(
                "INSERT INTO mark (name, number, asset, part, start, end, window_end, value, low, high, is_right,"
                " true_low, true_high, by, note, time, other_low, other_high, other_known)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (mark.name, mark.number, mark.asset, mark.part, mark.start, mark.end, mark.window_end, mark.value,
                 mark.low, mark.high, mark.is_right, mark.true_low, mark.true_high, mark.by, mark.note, mark.time,
                 *other),
            )  # fmt: skip
            self._label(mark, mark.true_low, mark.true_high, mark.time)
            return self._one(int(found.lastrowid or 0))

    def take_back(self, mark: Mark, by: str, now: int) -> Mark:
        """Let what machines told hold again, or nothing."""
        with self._lock, self._db:
            low, high, known = self._other(mark)
            self._db.execute("UPDATE mark SET back = ?, back_by = ? WHERE id = ?", (now, by, mark.id))
            if known is None:
                self._db.execute(
                    "DELETE FROM label WHERE name = ? AND asset = ? AND part = ? AND start = ? AND end = ?", mark.window
                )
            else:
                self._label(mark, low, high, known)
            return self._one(mark.id)

    def find(self, number: int) -> Mark | None:
        """A mark by its number."""
        return next(iter(self._all("id = ?", (number,))), None)

    def between(self, start: int, end: int, asset: str | None, name: str | None, *, gone: bool) -> list[Mark]:
        """Marks of windows that ended in [start, end) UTC ns, the newest first; with `gone` those taken back too."""
        where = "window_end >= ?1 AND window_end < ?2 AND (?3 IS NULL OR asset = ?3) AND (?4 IS NULL OR name = ?4)"
        return self._all(where + ("" if gone else " AND back IS NULL"), (start, end, asset, name))

    def _all(self, where: str, asked: Iterable[Any]) -> list[Mark]:
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM mark WHERE {where} ORDER BY time DESC, id DESC",  # noqa: S608 (constants)
                tuple(asked),
            ).fetchall()
        return [_mark(row) for row in rows]

    def _one(self, number: int) -> Mark:
        return _mark(self._db.execute(f"SELECT {_COLUMNS} FROM mark WHERE id = ?", (number,)).fetchone())  # noqa: S608

    def _other(self, mark: Mark) -> Sequence[Any]:
        """What machines told of the window: beside the mark that stands, or as its label."""
        marked = self._db.execute(
            f"SELECT other_low, other_high, other_known FROM mark WHERE {_WINDOW}",  # noqa: S608 (constants)
            mark.window,
        ).fetchone()
        if marked is not None:
            return tuple(marked)
        label = self._db.execute(
            "SELECT low, high, known FROM label WHERE name = ? AND asset = ? AND part = ? AND start = ? AND end = ?",
            mark.window,
        ).fetchone()
        return tuple(label) if label is not None else (None, None, None)

    def _label(self, mark: Mark, low: float, high: float, known: int) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO label VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*mark.window, low, high, known)
        )


def _mark(row: Sequence[Any]) -> Mark:
    fields: tuple[Any, ...] = (*row[:11], bool(row[11]), *row[12:])
    return Mark(*fields)
