"""Checks of the log: every batch is what was committed, and the accounts add up."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Set

from shopfloor.plant import Batch, BatchError
from shopfloor.services.historian.snapshot import Snapshot

_BATCHES = "SELECT id, gateway, sequence, source, rows, crc FROM log ORDER BY id"
_DRIFTED = (
    "SELECT gateway, source, accepted, baseline + drift + stored + rejected + dropped + damaged, missing FROM sources"
)


def check_log(snapshot: Snapshot, names: Set[str]) -> Iterator[str]:
    """A sentence for each batch that does not give back what was committed."""
    try:
        entries = snapshot.db.execute(_BATCHES).fetchall()
    except sqlite3.DatabaseError as problem:
        yield f"{snapshot.store}/log.db: the list of batches cannot be read ({problem}): restore it from a backup."
        return
    for id_, gateway, sequence, source, rows, crc in entries:
        if fault := _fault(snapshot.db, id_, rows, crc, names):
            what = f"{rows} values of {source}" if source is not None else "its values"
            yield (
                f"{snapshot.store}/log.db: batch {sequence} of gateway {gateway} is damaged ({fault}): {what} are lost"
                " here unless a backup holds them; check the disk."
            )


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


def _fault(db: sqlite3.Connection, id_: int, rows: int | None, crc: int | None, names: Set[str]) -> str:
    try:
        (body,) = db.execute("SELECT body FROM log WHERE id = ?", (id_,)).fetchone()
        batch = Batch.from_bytes(body)
    except (sqlite3.DatabaseError, BatchError) as problem:
        return str(problem)
    if crc is not None and zlib.crc32(body) != crc:
        return f"its {len(body)} bytes have another checksum than when they were committed"
    if rows is not None and len(batch) != rows:
        return f"it has {len(batch)} values of {rows}"
    unknown = [name for name in batch.names if name not in names]
    return f"it names the tag {unknown[0]}, which was never stored" if unknown else ""
