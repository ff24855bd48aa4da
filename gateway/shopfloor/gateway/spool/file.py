"""The spool's file: its schema, its lock, and what to say when the disk does not do its part."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from shopfloor.plant import StoreError

SCHEMA: Final = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA journal_size_limit = 67108864;
CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS source (
    name TEXT PRIMARY KEY, accepted INTEGER NOT NULL, rejected INTEGER NOT NULL, dropped INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS batch (
    sequence INTEGER PRIMARY KEY, source TEXT NOT NULL, accepted INTEGER NOT NULL, amount INTEGER NOT NULL,
    size INTEGER NOT NULL, refused TEXT NOT NULL DEFAULT '', data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS mark (source TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS hole (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, accounts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rejected (
    number INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, time INTEGER NOT NULL, source TEXT NOT NULL,
    amount INTEGER NOT NULL, sentence TEXT NOT NULL, data BLOB NOT NULL
);
"""


@contextmanager
def locked(folder: Path) -> Iterator[IO[str]]:
    """Keep other gateways out of the folder; `StoreError` when one is in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "spool.lock").open("a+")
    except OSError as problem:
        raise StoreError(
            f"The spool folder {folder} cannot be used ({problem.strerror}): give a folder that this user may write."
        ) from problem
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise StoreError(
                f"Another gateway uses the spool folder {folder}: stop it, or give this one its own --data folder."
            ) from problem
        yield handle


@contextmanager
def connected(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database of a spool, made when it is not there yet; `StoreError` when it cannot be opened."""
    try:
        _private(folder)
        db = sqlite3.connect(folder / "spool.sqlite", check_same_thread=False, isolation_level=None)
    except sqlite3.Error as problem:
        raise StoreError(sentence(folder, problem)) from problem
    try:
        db.executescript(SCHEMA)
        yield db
    except sqlite3.Error as problem:
        raise StoreError(sentence(folder, problem)) from problem
    finally:
        db.close()


def _private(folder: Path) -> None:
    """Only the gateway's user may read what waits, and where its sources stand; SQLite's other files follow the first.

    A file system that cannot do this, or is read-only, is for SQLite to judge.
    """
    with suppress(OSError):
        os.close(os.open(folder / "spool.sqlite", os.O_RDWR | os.O_CREAT, 0o600))
        for file in folder.glob("spool.sqlite*"):
            file.chmod(0o600)


def sentence(folder: Path, problem: sqlite3.Error) -> str:
    """What is wrong with the disk, and what to do."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return f"The disk of the spool folder {folder} is full: free some space; the gateway waits and loses nothing."
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return f"The spool folder {folder} is read-only: make it writable for the user of the gateway."
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return f"The spool in {folder} is damaged ({problem}): move spool.sqlite aside and start again."
    return f"The spool in {folder} cannot be written ({problem}): check its disk; the gateway waits and loses nothing."
