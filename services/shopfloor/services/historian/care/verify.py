"""Verifying a store: everything that can be checked without knowing what was measured."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from shopfloor.services.historian.care.log_checks import accounts_of, check_log
from shopfloor.services.historian.care.segment_checks import check_segment
from shopfloor.services.historian.care.snapshot import Snapshot
from shopfloor.services.historian.trouble import RESTORE

Tell = Callable[[int, int], None]


def verify(snapshot: Snapshot, tell: Tell = lambda *_: None) -> Iterator[str]:
    """A sentence for each damaged part: which, what is lost with it, what to do.

    `tell` hears (values checked, values in all).
    """
    try:
        yield from _integrity(snapshot)
        yield from _contents(snapshot, tell)
    except sqlite3.DatabaseError as problem:
        yield f"{snapshot.store}/log.db cannot be read further ({problem}): {RESTORE}; stop the server before that."


def _contents(snapshot: Snapshot, tell: Tell) -> Iterator[str]:
    names = dict(snapshot.db.execute("SELECT id, path FROM tags"))
    done, total = 0, sum(segment.rows for segment in snapshot.segments)
    for segment in snapshot.segments:
        fault = segment.damage or check_segment(segment, len(names))
        if fault:
            yield snapshot.told(fault)
        done += segment.rows
        tell(done, total)
    yield from check_log(snapshot, set(names.values()))
    yield from accounts_of(snapshot)


def unlisted(snapshot: Snapshot) -> list[Path]:
    """Files in the folders of days that no segment lists: what a crash left; the next start deletes them."""
    listed = {snapshot.name(file) for segment in snapshot.segments for file in segment.files()}
    found = [path for path in snapshot.store.glob("day=*/*") if path.is_file()]
    return [path for path in found if path.relative_to(snapshot.store).as_posix() not in listed]


def _integrity(snapshot: Snapshot) -> Iterator[str]:
    try:
        said = [str(row[0]) for row in snapshot.db.execute("PRAGMA integrity_check(20)")]
    except sqlite3.DatabaseError as problem:
        said = [str(problem)]
    if said != ["ok"]:
        yield f"{snapshot.store}/log.db is damaged ({'; '.join(said)}): {RESTORE}; stop the server before that."
