"""Where the records of production are kept: one small SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from shopfloor.services.production.circumstances import Circumstances
from shopfloor.services.production.records import Entry, Note, Stop
from shopfloor.services.production.told import Told
from shopfloor.services.records import Records

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS stops (
    id INTEGER PRIMARY KEY AUTOINCREMENT, asset TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER, kind TEXT NOT NULL,
    reason TEXT NOT NULL, comment TEXT NOT NULL, by TEXT NOT NULL, code TEXT NOT NULL, parted INTEGER NOT NULL,
    place INTEGER
);
CREATE INDEX IF NOT EXISTS stops_time ON stops (asset, start);
CREATE INDEX IF NOT EXISTS stops_start ON stops (start);
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, asset TEXT NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL,
    quantity INTEGER NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, comment TEXT NOT NULL, "order" TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_time ON entries (time);
CREATE TABLE IF NOT EXISTS noted (stop INTEGER PRIMARY KEY, said TEXT NOT NULL, whole INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, by TEXT NOT NULL, what TEXT NOT NULL,
    subject TEXT NOT NULL, sentence TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_time ON notes (time);
CREATE TABLE IF NOT EXISTS orders (
    number TEXT PRIMARY KEY, item TEXT NOT NULL, place TEXT NOT NULL, quantity INTEGER NOT NULL, lots TEXT NOT NULL,
    state TEXT NOT NULL, created INTEGER NOT NULL, by TEXT NOT NULL, comment TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER
);
CREATE INDEX IF NOT EXISTS runs_number ON runs (number, start);
"""
_STOP: Final = "id, asset, start, end, kind, reason, comment, by, code, parted"
_ENTRY: Final = 'id, asset, time, kind, quantity, reason, by, comment, "order"'


class ProductionStore(Records):
    """Records in `<folder>/production.db`; durable when a method returns; safe to call from any thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "production.db", _SCHEMA, "records of production")
        self.told_version = 0
        """Grows with every reason that is told, taken back or changed."""

    def _bring_up_to_date(self, db: sqlite3.Connection) -> None:
        if "comment" not in {row[1] for row in db.execute("PRAGMA table_info(orders)")}:
            db.execute("ALTER TABLE orders ADD COLUMN comment TEXT NOT NULL DEFAULT ''")

    def stops(self, start: int, end: int, asset: str | None = None) -> list[Stop]:
        """Records that touch [start, end), the newest first."""
        rows = self.do(
            f"SELECT {_STOP} FROM stops WHERE start < ?2 AND (end IS NULL OR end > ?1)"  # noqa: S608 (constants)
            " AND (?3 IS NULL OR asset = ?3) ORDER BY start DESC, id DESC",
            (start, end, asset),
        )
        return [_stop(row) for row in rows]

    def stop(self, number: int) -> Stop | None:
        """One record by its number."""
        rows = self.do(f"SELECT {_STOP} FROM stops WHERE id = ?", (number,))  # noqa: S608 (a constant)
        return next((_stop(row) for row in rows), None)

    def add_stop(self, stop: Stop) -> int:
        """A new record; answers its number."""
        values = (stop.asset, stop.start, stop.end, stop.kind, stop.reason, stop.comment, stop.by, stop.code)
        cursor = self.do(
            "INSERT INTO stops (asset, start, end, kind, reason, comment, by, code, parted) VALUES (?,?,?,?,?,?,?,?,?)",
            (*values, stop.parted),
        )
        return int(cursor.lastrowid or 0)

    def change_stop(self, stop: Stop, place: int | None = None) -> None:
        """Write a record anew; `place` is where its reason stood among those suggested (from 1; 0: nowhere)."""
        self.told_version += bool(stop.reason) or place is not None or stop.parted
        self.do(
            "UPDATE stops SET start=?, end=?, kind=?, reason=?, comment=?, by=?, code=?, parted=?,"
            " place=coalesce(?, place) WHERE id=?",
            (
                stop.start,
                stop.end,
                stop.kind,
                stop.reason,
                stop.comment,
                stop.by,
                stop.code,
                stop.parted,
                place,
                stop.id,
            ),
        )

    def drop_stops(self, numbers: Sequence[int]) -> None:
        """Remove records."""
        for number in numbers:
            self.do("DELETE FROM stops WHERE id=?", (number,))
            self.do("DELETE FROM noted WHERE stop=?", (number,))
        self.told_version += bool(numbers)

    def noted(self, numbers: Sequence[int]) -> dict[int, tuple[Circumstances, bool]]:
        """What was noted of stops, by number, and whether states and items are in it."""
        asked = json.dumps(list(numbers))
        rows = self.do("SELECT stop, said, whole FROM noted WHERE stop IN (SELECT value FROM json_each(?))", (asked,))
        return {row[0]: (Circumstances.from_json(row[1]), bool(row[2])) for row in rows}

    def note_stops(self, noted: Mapping[int, Circumstances], *, whole: bool = True) -> None:
        """Keep what was so when stops began."""
        with self.together():
            for number, said in noted.items():
                values = (number, said.to_json(), whole)
                self.do("INSERT OR REPLACE INTO noted (stop, said, whole) VALUES (?,?,?)", values)

    def told(self, limit: int = 2_000) -> list[Stop]:
        """The newest records that have a reason."""
        rows = self.do(
            f"SELECT {_STOP} FROM stops WHERE reason != '' ORDER BY start DESC LIMIT ?",  # noqa: S608 (a constant)
            (limit,),
        )
        return [_stop(row) for row in rows]

    def told_times(self, start: int, end: int) -> list[Told]:
        """Stops with a reason that touch [start, end), cut to it."""
        return self.do(
            "SELECT asset, kind, reason, max(start, ?1), min(coalesce(end, ?2), ?2) FROM stops"
            " WHERE start < ?2 AND (end IS NULL OR end > ?1) AND reason != ''",
            (start, end),
        ).fetchall()

    def places(self, limit: int = 200) -> list[int]:
        """Where the newest reasons stood among those that were suggested (from 1; 0: nowhere)."""
        rows = self.do("SELECT place FROM stops WHERE place IS NOT NULL ORDER BY start DESC LIMIT ?", (limit,))
        return [int(row[0]) for row in rows]

    def newest(self, asset: str) -> int | None:
        """When the newest record of a machine began."""
        rows = self.do("SELECT max(start) FROM stops WHERE asset = ?", (asset,))
        return next((row[0] for row in rows), None)

    def entries(self, start: int, end: int, asset: str | None = None) -> list[Entry]:
        """Scrap and rework of [start, end), the newest first."""
        rows = self.do(
            f"SELECT {_ENTRY} FROM entries WHERE time >= ?1 AND time < ?2"  # noqa: S608 (constants)
            " AND (?3 IS NULL OR asset = ?3) ORDER BY time DESC, id DESC",
            (start, end, asset),
        )
        return [Entry(*row) for row in rows]

    def add_entry(self, entry: Entry) -> int:
        """New scrap or rework; answers its number."""
        values = (
            entry.asset,
            entry.time,
            entry.kind,
            entry.quantity,
            entry.reason,
            entry.by,
            entry.comment,
            entry.order,
        )
        cursor = self.do(
            'INSERT INTO entries (asset, time, kind, quantity, reason, by, comment, "order") VALUES (?,?,?,?,?,?,?,?)',
            values,
        )
        return int(cursor.lastrowid or 0)

    def drop_entry(self, number: int) -> None:
        """Remove an entry."""
        self.do("DELETE FROM entries WHERE id=?", (number,))

    def note(self, note: Note) -> None:
        """Write a line of the journal."""
        values = (note.time, note.by, note.what, note.subject, note.sentence)
        self.do("INSERT INTO notes (time, by, what, subject, sentence) VALUES (?,?,?,?,?)", values)

    def notes(self, start: int, end: int, limit: int) -> list[Note]:
        """The journal of [start, end), newest first."""
        rows = self.do(
            "SELECT time, by, what, subject, sentence FROM notes WHERE time >= ? AND time < ?"
            " ORDER BY time DESC, id DESC LIMIT ?",
            (start, end, limit),
        )
        return [Note(*row) for row in rows]


def _stop(row: Sequence[Any]) -> Stop:
    values: dict[str, Any] = dict(zip(_STOP.split(", "), row, strict=True))
    return Stop(**values | {"parted": bool(values["parted"])})
