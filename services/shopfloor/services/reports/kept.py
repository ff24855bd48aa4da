"""Reports that were made: a small SQLite file beside their files, each schedule and period at most once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.records import Records
from shopfloor.services.reports.document import Unit
from shopfloor.services.reports.words import Format, Language

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT, schedule TEXT NOT NULL, unit TEXT NOT NULL, start INTEGER NOT NULL,
    end INTEGER NOT NULL, shift TEXT NOT NULL, day TEXT NOT NULL, place TEXT NOT NULL, language TEXT NOT NULL,
    format TEXT NOT NULL, by TEXT NOT NULL, asked INTEGER NOT NULL, made INTEGER, file TEXT NOT NULL,
    size INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, problem TEXT NOT NULL,
    posted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS reports_once ON reports (schedule, start) WHERE schedule != '';
CREATE TABLE IF NOT EXISTS schedules (name TEXT PRIMARY KEY, since INTEGER NOT NULL);
"""
_COLUMNS: Final = (
    "id, schedule, unit, start, end, shift, day, place, language, format, by, asked, made, file, size, tries, due,"
    " problem, posted"
)
_MINUTE: Final = 60 * 1_000_000_000
_LONGEST: Final = 60 * _MINUTE


class ReportUnknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """No report has this number, or its file is gone."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A report on record. `made` is None until it was; `tries` failed so far, the last for `problem`. Times UTC ns."""

    id: int
    schedule: str
    unit: Unit
    start: int
    end: int
    shift: str
    day: str
    place: str
    language: Language
    format: Format
    by: str
    asked: int
    made: int | None
    file: str
    size: int
    tries: int
    due: int
    problem: str
    posted: int


class KeptReports(Records):
    """`<folder>/reports.db` and `<folder>/files/`; durable when a method returns, safe from any thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "reports.db", _SCHEMA, "reports")
        self.files = folder / "files"

    def first_seen(self, schedule: str, now: int) -> int:
        """When a schedule was first there (UTC ns): what ended before is not made."""
        self.do("INSERT OR IGNORE INTO schedules VALUES (?, ?)", (schedule, now))
        return int(self.do("SELECT since FROM schedules WHERE name = ?", (schedule,)).fetchone()[0])

    def known(self, schedule: str, start: int) -> bool:
        """Whether the report of a schedule and a period is on record, made or not."""
        rows = self.do("SELECT 1 FROM reports WHERE schedule = ? AND start = ?", (schedule, start))
        return rows.fetchone() is not None

    def add(self, new: Kept) -> Kept:
        """Put a report on record before it is made; one of a schedule and period that is there already is answered."""
        names = [name for name in _COLUMNS.split(", ") if name.strip() != "id"]
        marks = ",".join("?" * len(names))
        sql = f"INSERT OR IGNORE INTO reports ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 (constants)
        with self.together():
            cursor = self.do(sql, [getattr(new, name.strip()) for name in names])
            if cursor.rowcount:
                return self.one(int(cursor.lastrowid or 0))
            sql = "SELECT id FROM reports WHERE schedule = ? AND start = ?"
            return self.one(int(self.do(sql, (new.schedule, new.start)).fetchone()[0]))

    def one(self, number: int) -> Kept:
        """A report by its number."""
        found = self._rows("WHERE id = ?", (number,))
        if not found:
            raise ReportUnknown(f"There is no report {number}: ask /api/v1/reports for those that are.")
        return found[0]

    def newest(self, limit: int = 200) -> list[Kept]:
        """The newest reports, made or not."""
        return self._rows("ORDER BY start DESC, id DESC LIMIT ?", (limit,))

    def waiting(self, now: int) -> list[Kept]:
        """Those that are still to be made, and whose turn it is."""
        return self._rows("WHERE made IS NULL AND due <= ? ORDER BY start, id", (now,))

    def unposted(self) -> list[Kept]:
        """Those of schedules that were made and not yet given to the mail."""
        return self._rows("WHERE made IS NOT NULL AND NOT posted AND schedule != '' ORDER BY id", ())

    def put(self, report: Kept, data: bytes, now: int) -> Kept:
        """Keep a file: whole or not at all, then its record."""
        self.files.mkdir(parents=True, exist_ok=True)
        target = self.path(report)
        fresh = target.with_suffix(".part")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        self.do("UPDATE reports SET made = ?, size = ?, problem = '' WHERE id = ?", (now, len(data), report.id))
        return self.one(report.id)

    def failed(self, report: Kept, problem: str, now: int) -> None:
        """It could not be made: it waits, longer after every try, an hour at most."""
        wait = min(_MINUTE << min(report.tries, 10), _LONGEST)
        sql = "UPDATE reports SET tries = tries + 1, problem = ?, due = ? WHERE id = ?"
        self.do(sql, (problem, now + wait, report.id))

    def posted(self, number: int) -> None:
        """The mail has it, or has nobody to send it to."""
        self.do("UPDATE reports SET posted = 1 WHERE id = ?", (number,))

    def path(self, report: Kept) -> Path:
        """Where the file of a report is."""
        return self.files / f"{report.id}-{report.file}"

    def read(self, number: int) -> tuple[Kept, bytes]:
        """A report and its file."""
        report = self.one(number)
        try:
            return report, self.path(report).read_bytes()
        except OSError as problem:
            said = f"The report {number} has no file ({report.problem or 'it is not made yet'}): make it anew."
            raise ReportUnknown(said) from problem

    def forget(self, before: int, most: int) -> int:
        """Delete what was asked for before a time, and the oldest beyond `most`; answers how many."""
        old = self._rows(
            "WHERE asked < ? OR id NOT IN (SELECT id FROM reports ORDER BY asked DESC, id DESC LIMIT ?)", (before, most)
        )
        for report in old:
            self.path(report).unlink(missing_ok=True)
            self.do("DELETE FROM reports WHERE id = ?", (report.id,))
        return len(old)

    def _rows(self, where: str, values: Sequence[Any]) -> list[Kept]:
        rows = self.do(f"SELECT {_COLUMNS} FROM reports {where}", values).fetchall()  # noqa: S608 (constants)
        return [Kept(*row) for row in rows]
