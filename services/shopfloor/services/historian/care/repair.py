"""Repairing a store whose database has bad pages: what can be read of it moves into a new one, the rest is named.

    log.db ──copy──► damaged-TIME/log.db      as it was, for good
    log.db ──salvage──► log.repaired.db ──rename──► log.db

Whatever is interrupted leaves a log.db with everything in it: the repair can be started again. Segments are not
touched.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from shopfloor.plant import StoreError
from shopfloor.services.historian.care.rebuild import rebuilt
from shopfloor.services.historian.folder import FolderLock
from shopfloor.services.historian.log.log import VERSION, Log
from shopfloor.services.historian.segments.segment import sync

LOG: Final = "log.db"
_MADE: Final = "log.repaired.db"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found to be lost, a sentence each, and where the damaged files lie; None: nothing was damaged."""

    lost: list[str]
    aside: Path | None


def repair(store: Path, stamp: str) -> Repaired:
    """Repair a store that no server has open; `stamp` names the folder for its damaged files.

    `StoreError` says why it cannot be: a server has it, there is none, or not even its list of tables can be read.
    """
    if not (store / LOG).is_file():
        raise StoreError(f"There is no store in {store} ({LOG} is missing): name the data folder of a server.")
    lock = FolderLock(store)
    try:
        return _repaired(store, store / f"damaged-{stamp}")
    except OSError as problem:
        raise StoreError(f"{store} could not be repaired ({problem}): nothing is lost; try again.") from problem
    finally:
        lock.release()


def _repaired(store: Path, aside: Path) -> Repaired:
    if _is_whole(store / LOG):
        return Repaired([], None)
    _keep(store, aside)
    _checkpoint(store / LOG)
    for file in _files(store, _MADE):
        file.unlink()
    with closing(_opened(store / LOG)) as old:
        lost = _made(old, store)
    for file in _files(store, LOG)[1:]:
        file.unlink()
    (store / _MADE).replace(store / LOG)
    sync(store)
    return Repaired(lost, aside)


def _made(old: sqlite3.Connection, store: Path) -> list[str]:
    with closing(Log(store / _MADE)) as new, new.transaction() as db:
        lost = list(rebuilt(old, db, store))
    sync(store / _MADE)
    return lost


def _is_whole(path: Path) -> bool:
    with closing(_opened(path)) as db:
        try:
            return [row[0] for row in db.execute("PRAGMA integrity_check(1)")] == ["ok"]
        except sqlite3.DatabaseError:
            return False


def _files(store: Path, name: str) -> list[Path]:
    """A database and what SQLite keeps beside it, as far as it is there."""
    return [path for end in ("", "-wal", "-shm") if (path := store / f"{name}{end}").is_file()]


def _keep(store: Path, aside: Path) -> None:
    """Copy the damaged files as they are."""
    aside.mkdir()
    for file in _files(store, LOG):
        shutil.copyfile(file, aside / file.name)
        sync(aside / file.name)
    sync(aside)
    sync(store)


def _checkpoint(path: Path) -> None:
    """Bring what was committed last from the log of SQLite into the file, so that the file alone is the database."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.DatabaseError as problem:
        raise _hopeless(path, problem) from problem
    wal = path.with_name(f"{path.name}-wal")
    if wal.is_file() and wal.stat().st_size:
        raise StoreError(f"{wal} cannot be brought into {path.name}: stop whatever has it open, and try again.")


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        db.execute("SELECT name FROM sqlite_master").fetchall()
    except sqlite3.DatabaseError as problem:
        db.close()
        raise _hopeless(path, problem) from problem
    if version != VERSION:
        db.close()
        raise StoreError(
            f"{path} has schema {version}, this Shopfloor repairs {VERSION}: use the version that wrote it."
        )
    return db


def _hopeless(path: Path, problem: Exception) -> StoreError:
    return StoreError(
        f"{path} does not even say which tables it has ({problem}): restore the store from a backup; segments that are"
        " newer than it are still in the folder."
    )
