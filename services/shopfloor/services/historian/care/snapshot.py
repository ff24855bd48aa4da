"""A moment of a store, held still for another process while the server of that store runs on.

The log is copied into memory in one read transaction, and the segments that it lists are pinned: nobody waits, and
whatever is compacted or deleted meanwhile stays until the block ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from shopfloor.plant import StoreError
from shopfloor.services.historian.log.log import VERSION
from shopfloor.services.historian.segments import catalogue
from shopfloor.services.historian.segments.pins import Pin, ReadOnlyError, pinning
from shopfloor.services.historian.segments.segment import DamagedError, Segment
from shopfloor.services.historian.trouble import RESTORE

LOG: Final = "log.db"


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One moment of `store`: its database in memory, and its segments with paths (below `folder`) that stay.

    A segment whose file is gone or has another size has its `damage` set.
    """

    store: Path
    folder: Path
    db: sqlite3.Connection
    segments: tuple[Segment, ...]

    @property
    def log(self) -> Path:
        """The database, as people know it."""
        return self.store / LOG

    def name(self, path: Path) -> str:
        """A segment's file as the store calls it, as in `day=2026-01-31/float64-00000001.parquet`."""
        return path.relative_to(self.folder).as_posix()

    def told(self, sentence: str) -> str:
        """A sentence about a file on one line, with the name that people know it by."""
        return sentence.replace(str(self.folder), str(self.store)).replace("\n", " ")


@contextmanager
def held(store: Path) -> Iterator[Snapshot]:
    """Hold a store still, whether a server has it open or not. `StoreError` says why that cannot be."""
    if not (store / LOG).is_file():
        raise StoreError(f"There is no store in {store} ({LOG} is missing): name the data folder of a server.")
    with ExitStack() as stack:
        try:
            pin = stack.enter_context(pinning(store))
        except ReadOnlyError:
            yield stack.enter_context(lying(store))
            return
        db = stack.enter_context(closing(_pinned(store, pin)))
        yield Snapshot(store, pin.folder, db, _segments(db, pin.folder))


@contextmanager
def lying(store: Path) -> Iterator[Snapshot]:
    """A store that nobody can write to: a backup, or one on a disk that is read-only."""
    wal = store / f"{LOG}-wal"
    how = "mode=ro" if wal.is_file() and wal.stat().st_size else "immutable=1"
    with closing(_copy(store / LOG, how)) as db:
        yield Snapshot(store, store, db, _segments(db, store))


def _pinned(store: Path, pin: Pin) -> sqlite3.Connection:
    """The database, after every file that it lists was pinned.

    A file that is gone was replaced: then a newer catalogue no longer lists it. If it does, the file is lost.
    """
    lost: set[Path] = set()
    while True:
        db = _copy(store / LOG, "mode=ro")
        gone = {path for path in _files(db, store) if not pin.keep(path)}
        if gone <= lost:
            return db
        db.close()
        lost |= gone


def _files(db: sqlite3.Connection, store: Path) -> list[Path]:
    return [path for segment in _segments(db, store) for path in segment.files()]


def _segments(db: sqlite3.Connection, folder: Path) -> tuple[Segment, ...]:
    try:
        return tuple(catalogue.load(db, folder))
    except (sqlite3.Error, ValueError) as problem:
        raise DamagedError(f"The catalogue of segments in log.db is damaged ({problem}): {RESTORE}.") from problem


def _copy(path: Path, how: str) -> sqlite3.Connection:
    """The database in memory, as it is at one moment."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True)) as source:
            source.backup(memory)
        (version,) = memory.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as problem:
        memory.close()
        raise DamagedError(f"{path} cannot be read ({problem}): {RESTORE}; check the disk.") from problem
    if version != VERSION:
        memory.close()
        todo = "start its server once with this version" if version < VERSION else "update Shopfloor"
        raise StoreError(f"{path} has schema {version}, this Shopfloor knows {VERSION}: {todo}.")
    return memory
