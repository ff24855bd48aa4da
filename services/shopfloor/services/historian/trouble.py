"""Trouble: what keeps the store from working, as a state and a sentence."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from shopfloor.plant import SinkUnavailable, StoreError

RESTORE: Final = "restore it from a backup, or let `shopfloor repair` save what can be read"
"""What to do about a damaged database."""

State = Literal["full", "readonly", "failed"]
_READONLY: Final = {errno.EROFS, errno.EACCES, errno.EPERM}
_SQLITE: Final[dict[int, State]] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_CANTOPEN: "readonly",
    sqlite3.SQLITE_PERM: "readonly",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """`full`: no space; `readonly`: the folder takes nothing; `failed`: anything else that should not happen."""

    state: State
    sentence: str


def explain(problem: BaseException, folder: Path, work: str = "The store") -> Trouble:
    """What an exception means for the store in `folder`; `work` begins the sentence about an unexpected one.

    >>> explain(OSError(errno.ENOSPC, "No space left"), Path("store")).state
    'full'
    >>> explain(KeyError("x"), Path("store"), "Compaction").sentence
    "Compaction in store failed (KeyError: 'x'): it is tried again; report this if it stays."
    """
    state = _state(problem)
    if isinstance(problem, (StoreError, SinkUnavailable)):
        return Trouble(state, str(problem))
    if state == "full":
        return Trouble(state, f"The disk of {folder} is full: free space, then it goes on by itself.")
    if state == "readonly":
        return Trouble(state, f"{folder} cannot be written ({problem}): make it writable, then it goes on by itself.")
    reason = f"{type(problem).__name__}: {problem}".removesuffix(": ")
    return Trouble(state, f"{work} in {folder} failed ({reason}): it is tried again; report this if it stays.")


def _state(problem: BaseException | None) -> State:
    if isinstance(problem, OSError) and problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "full"
    if isinstance(problem, OSError) and problem.errno in _READONLY:
        return "readonly"
    if isinstance(problem, sqlite3.Error):
        return _SQLITE.get(getattr(problem, "sqlite_errorcode", 0) & 0xFF, "failed")
    return "failed" if problem is None else _state(problem.__cause__)
