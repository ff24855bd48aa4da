"""The accounts: how far each gateway has come, and what became of the values of each of its sources."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from shopfloor.plant import RejectedError
from shopfloor.plant.counted import counted
from shopfloor.services.historian.log.sequence import SequenceGap


@dataclass(frozen=True, slots=True)
class Account:
    """What a gateway says about a batch: its own name, the sequence, the source, the source's accepted values."""

    gateway: str
    sequence: int
    source: str
    accepted: int
    values: int


def is_repeated(db: sqlite3.Connection, account: Account) -> bool:
    """Whether the batch was stored (or refused) before. A gap raises `SequenceGap`."""
    known = db.execute("SELECT first, last FROM gateways WHERE gateway = ?", (account.gateway,)).fetchone()
    if known is None:
        return False
    first, last = known
    if account.sequence > last + 1:
        raise SequenceGap(account.gateway, account.sequence, last + 1)
    if account.sequence < first:
        raise RejectedError(
            f"Batch {account.sequence} of gateway {account.gateway} is older than {first}, the first this store knows:"
            " import it as a recording if its values are missing."
        )
    return bool(account.sequence <= last)


def repeat(db: sqlite3.Connection, account: Account) -> None:
    """Count a batch that came again."""
    db.execute(
        "UPDATE sources SET repeated = repeated + ? WHERE gateway = ? AND source = ?",
        (account.values, account.gateway, account.source),
    )


def note_gap(db: sqlite3.Connection, account: Account) -> None:
    """Count what a gateway that is ahead delivered elsewhere; it counts until the gateway goes on where expected."""
    _open_account(db, account, 1)
    db.execute(
        "UPDATE sources SET missing = max(0, ? - (baseline + drift + stored + rejected + dropped + damaged))"
        " WHERE gateway = ? AND source = ?",
        (account.accepted - account.values, account.gateway, account.source),
    )


def reject(db: sqlite3.Connection, account: Account, sentence: str) -> None:
    """Keep why a batch was refused, and count it."""
    db.execute(
        "INSERT OR REPLACE INTO rejections VALUES (?, ?, ?, ?, ?)",
        (account.gateway, account.sequence, account.source, account.values, sentence),
    )
    book(db, account, rejected=account.values)


def drop(db: sqlite3.Connection, account: Account) -> None:
    """Count what a full spool gave up; its sequence is the last one of the hole."""
    book(db, account, dropped=account.values)


def book(db: sqlite3.Connection, account: Account, stored: int = 0, rejected: int = 0, dropped: int = 0) -> None:
    """Move the gateway's sequence on and check its counter against ours."""
    new = db.execute("SELECT first FROM gateways WHERE gateway = ?", (account.gateway,)).fetchone()
    first = account.sequence if new is None else int(new[0])
    db.execute("INSERT OR REPLACE INTO gateways VALUES (?, ?, ?)", (account.gateway, first, account.sequence))
    _open_account(db, account, first)
    db.execute("UPDATE sources SET missing = 0 WHERE gateway = ? AND missing <> 0", (account.gateway,))
    db.execute(
        "UPDATE sources SET accepted = ?, stored = stored + ?, rejected = rejected + ?, dropped = dropped + ?"
        " WHERE gateway = ? AND source = ?",
        (account.accepted, stored, rejected, dropped, account.gateway, account.source),
    )
    _check(db, account)


def _open_account(db: sqlite3.Connection, account: Account, first: int) -> None:
    """A source seen for the first time. Only a gateway that is older than the store may have counted before."""
    earlier = account.accepted - account.values
    baseline = earlier if first > 1 and earlier > 0 else 0
    sentence = ""
    if baseline:
        sentence = (
            f"This store knows gateway {account.gateway} from batch {first} on:"
            f" {baseline} earlier values of {account.source} were stored elsewhere."
        )
    db.execute(
        "INSERT OR IGNORE INTO sources VALUES (?, ?, 0, 0, 0, 0, ?, 0, 0, ?, 0, 0, 0)",
        (account.gateway, account.source, baseline, sentence),
    )


def _check(db: sqlite3.Connection, account: Account) -> None:
    key = (account.gateway, account.source)
    ours = int(
        db.execute(
            "SELECT baseline + drift + stored + rejected + dropped + damaged FROM sources"
            " WHERE gateway = ? AND source = ?",
            key,
        ).fetchone()[0]
    )
    if ours == account.accepted:
        return
    off = counted(abs(account.accepted - ours), "value is", "values are")
    sentence = (
        f"At batch {account.sequence} gateway {account.gateway} had accepted {counted(account.accepted, 'value')} of"
        f" {account.source}, this store counts {ours:,}: {off}"
        f" {'missing' if account.accepted > ours else 'too many'}; look at the gateway's log around that batch."
    )
    db.execute(
        "UPDATE sources SET drift = drift + ?, mismatches = mismatches + 1, sentence = ?"
        " WHERE gateway = ? AND source = ?",
        (account.accepted - ours, sentence, *key),
    )
