"""Checks of the log: every batch is what was committed, and the accounts add up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Set
from pathlib import Path

from shopfloor.plant import StoreError
from shopfloor.services.historian.care.snapshot import Snapshot
from shopfloor.services.historian.log.logged import Damaged, logged
from shopfloor.services.historian.trouble import RESTORE

_DRIFTED = (
    "SELECT gateway, source, accepted, baseline + drift + stored + rejected + dropped + damaged, missing FROM sources"
)


def check_pages(db: sqlite3.Connection, path: Path) -> None:
    """A catalogue with a bad page lists too little: what it does not list would be deleted. So nothing is done then."""
    (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise damaged_database(path, " ".join(said.split()))


def damaged_database(path: Path, said: object) -> StoreError:
    """The sentence about a store that is not opened."""
    return StoreError(f"{path} is damaged ({said}): nothing was changed; `shopfloor verify` says how far; {RESTORE}.")


def check_log(snapshot: Snapshot, names: Set[str]) -> Iterator[str]:
    """A sentence for each batch that does not give back what was committed."""
    ids = dict.fromkeys(names, 0)
    try:
        for found in logged(snapshot.db, ids.get, snapshot.log):
            if isinstance(found, Damaged):
                yield found.sentence
    except sqlite3.DatabaseError as problem:
        yield f"{snapshot.log}: the list of batches cannot be read ({problem}): {RESTORE}."


def accounts_of(snapshot: Snapshot) -> Iterator[str]:
    """A sentence for each account that does not add up, and for values that are in no file."""
    for gateway, source, accepted, ours, missing in snapshot.db.execute(_DRIFTED):
        if accepted != ours and not missing:
            yield (
                f"The account of {source} of gateway {gateway} does not add up: {accepted} values accepted, {ours}"
                " accounted for; ask `shopfloor ledger` and look at the gateway's log."
            )
    yield from _total(snapshot)


def _total(snapshot: Snapshot) -> Iterator[str]:
    """Stored = in segments + in the log + collapsed; whatever retention deleted makes it larger, nothing smaller."""
    db = snapshot.db
    (stored,) = db.execute("SELECT total(stored) FROM sources").fetchone()
    (waiting,) = db.execute("SELECT total(rows) FROM log").fetchone()
    collapsed = db.execute("SELECT value FROM meta WHERE key = 'collapsed'").fetchone()
    kept = sum(segment.rows for segment in snapshot.segments) + int(waiting) + int(collapsed[0] if collapsed else 0)
    if kept > int(stored):
        yield (
            f"{snapshot.store} holds {kept} values, of which only {int(stored)} were ever stored: its catalogue is"
            " damaged; restore it from a backup."
        )
