"""The diary: past predictions, so that a page can draw how one went. A small SQLite file, kept for eight days."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from shopfloor.models.columns import DAY
from shopfloor.services.records import connected

_KEPT: Final = 8 * DAY
_SCHEMA: Final = """
create table if not exists predictions (
    asset text not null, target text not null, time integer not null, value real, low real, high real,
    primary key (asset, target, time)
) without rowid
"""
Row = tuple[str, str, int, float | None, float | None, float | None]


class Diary:
    """Opens on first use of the folder; `close` it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = connected(folder / "predictions.sqlite", _SCHEMA, "NORMAL", "DEFERRED")
        self._written = 0

    def write(self, rows: Iterable[Row], now: int) -> None:
        """Keep (asset, target, UTC ns, value, low, high); now and then forget what is too old."""
        with self._lock, self._db:
            self._db.executemany("insert or replace into predictions values (?, ?, ?, ?, ?, ?)", rows)
            self._written += 1
            if self._written % 500 == 1:
                self._db.execute("delete from predictions where time < ?", (now - _KEPT,))

    def read(self, asset: str, target: str, start: int, end: int) -> dict[str, list[Any]]:
        """Columns of what was predicted in [start, end) UTC ns; times answer as epoch ms."""
        with self._lock:
            rows = self._db.execute(
                "select time, value, low, high from predictions"
                " where asset = ? and target = ? and time >= ? and time < ? order by time",
                (asset, target, start, end),
            ).fetchall()
        return {
            "time": [row[0] / 1e6 for row in rows],
            "value": [row[1] for row in rows],
            "low": [row[2] for row in rows],
            "high": [row[3] for row in rows],
        }

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
