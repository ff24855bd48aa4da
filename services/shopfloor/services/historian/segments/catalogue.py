"""The catalogue: which segments are published. Its rows change only together with the log's."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from shopfloor.plant import Kind
from shopfloor.services.historian.segments.segment import Groups, Segment

_COLUMNS = "id, kind, day, name, rows, size, precedence, level, start, stop, groups, minutes, hours, gone, states"


def load(db: sqlite3.Connection, folder: Path) -> list[Segment]:
    """Every published segment. A file that is missing or has another size is marked as damaged."""
    segments = [_segment(row, folder) for row in db.execute(f"SELECT {_COLUMNS} FROM segments ORDER BY precedence, id")]  # noqa: S608
    there = _files(folder)
    for segment in segments:
        segment.damage = _damage(segment, there)
    return segments


def add(db: sqlite3.Connection, segments: Iterable[Segment]) -> None:
    """Publish: give each segment its row (its id was chosen before)."""
    for segment in segments:
        db.execute(
            f"INSERT INTO segments({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                segment.id,
                segment.kind.value,
                segment.day,
                segment.path.name,
                segment.rows,
                segment.size,
                segment.precedence,
                segment.level,
                segment.start,
                segment.end,
                _blob(segment.groups),
                _blob(segment.minutes),
                _blob(segment.hours),
                segment.gone.tobytes() if len(segment.gone) else None,
                _blob(segment.states),
            ),
        )


def remove(db: sqlite3.Connection, segments: Sequence[Segment]) -> None:
    """Withdraw segments."""
    db.executemany("DELETE FROM segments WHERE id = ?", [(segment.id,) for segment in segments])


def next_id(db: sqlite3.Connection) -> int:
    """An id that no segment ever had."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'segments'").fetchone()
    return 1 if row is None else int(row[0]) + 1


def sweep(folder: Path, segments: Sequence[Segment]) -> list[Path]:
    """Delete the files that no segment lists: what a crash left between writing and publishing."""
    listed = {str(path) for segment in segments for path in segment.files()}
    gone = [Path(path) for path in _files(folder) if path not in listed]
    for path in gone:
        path.unlink()
    for day in folder.glob("day=*"):
        if not any(day.iterdir()):
            day.rmdir()
    return gone


def _segment(row: Sequence[object], folder: Path) -> Segment:
    id_, kind, day, name, rows, size, precedence, level, start, stop, groups, minutes, hours, gone, states = row
    path = Path(folder, f"day={day}", str(name))
    numbers = [int(str(number)) for number in (id_, rows, size, precedence, level, start, stop)]
    segment_id, count, length, rank, tier, oldest, newest = numbers
    index = _groups(groups)
    if index is None:
        index = np.empty((0, 4), np.int64)
    return Segment(
        segment_id, path, Kind(str(kind)), str(day), count, length, rank, tier, oldest, newest,
        index, _groups(minutes), _groups(hours),
        gone=np.frombuffer(gone if isinstance(gone, bytes) else b"", np.int64), states=_groups(states),
    )  # fmt: skip


def _groups(blob: object) -> Groups | None:
    return np.frombuffer(blob, np.int64).reshape(-1, 4) if isinstance(blob, bytes) else None


def _blob(groups: Groups | None) -> bytes | None:
    return None if groups is None else np.ascontiguousarray(groups, np.int64).tobytes()


def _files(folder: Path) -> dict[str, os.DirEntry[str]]:
    """Every file of every day by its path, asked for a folder at a time: there may be tens of thousands."""
    return {entry.path: entry for day in folder.glob("day=*") for entry in os.scandir(day) if entry.is_file()}


def _damage(segment: Segment, there: Mapping[str, os.DirEntry[str]]) -> str:
    for path in segment.files():
        if str(path) not in there:
            return f"{path} is missing: restore it from a backup; its {segment.rows} values cannot be read until then."
    if there[str(segment.path)].stat().st_size != segment.size:
        return f"{segment.path} has another size than when it was written: restore it from a backup."
    return ""
