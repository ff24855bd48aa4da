"""The one small SQLite file of the alarms."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from shopfloor.services.records import Records

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, asset TEXT, state TEXT NOT NULL,
    since INTEGER NOT NULL, returned INTEGER, by TEXT, seen INTEGER, note TEXT, condition TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_open_alarm ON alarms (key) WHERE state != 'closed';
CREATE INDEX IF NOT EXISTS alarms_since ON alarms (since);
CREATE INDEX IF NOT EXISTS alarms_key ON alarms (key, id);
CREATE TABLE IF NOT EXISTS asides (
    key TEXT NOT NULL, kind TEXT NOT NULL, by TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
    reason TEXT NOT NULL, alarm INTEGER NOT NULL, PRIMARY KEY (key, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS followed (tag TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    sentence TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_time ON events (time);
CREATE INDEX IF NOT EXISTS events_alarm ON events (json_extract(detail, '$.alarm'), id);
"""
_ADDED: Final = {"first_out": "INTEGER NOT NULL DEFAULT 0", "realarmed": "INTEGER"}
"""Columns of `alarms` that older files do not have."""


class Database(Records):
    """A context on `<folder>/alarms.db`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "alarms.db", _SCHEMA, "alarms")

    def _bring_up_to_date(self, db: sqlite3.Connection) -> None:
        there = {row[1] for row in db.execute("PRAGMA table_info(alarms)")}
        for name, kind in _ADDED.items():
            if name not in there:
                db.execute(f"ALTER TABLE alarms ADD COLUMN {name} {kind}")
