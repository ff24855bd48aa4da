"""Holes in the spool's sequence: what was dropped because the spool was full, counted for every source.

A hole stands for a span of sequences, so that an outage of days costs one row and not one for each dropped batch.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dropped:
    """One dropped batch. `accepted` counts all values of its source up to and including this one; `size` in bytes."""

    sequence: int
    source: str
    accepted: int
    values: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class Hole:
    """The sequences from `first` to `sequence`: for each source the values dropped and its accepted ones after them."""

    sequence: int
    first: int
    accounts: dict[str, tuple[int, int]]


def after(db: sqlite3.Connection, sequence: int) -> list[Hole]:
    """Every hole that ends after a sequence."""
    rows = db.execute("SELECT last, first, accounts FROM hole WHERE last > ? ORDER BY last", (sequence,))
    return [Hole(last, first, _read(accounts)) for last, first, accounts in rows]


def oldest(db: sqlite3.Connection, size: int, beyond: int) -> list[Dropped]:
    """The oldest batches beyond a sequence that together have at least `size` bytes, or all of them."""
    found: list[Dropped] = []
    cursor = db.execute(
        "SELECT sequence, source, accepted, amount, size FROM batch WHERE sequence > ? ORDER BY sequence", (beyond,)
    )
    for row in cursor:
        if size <= 0:
            break
        found.append(Dropped(*row))
        size -= found[-1].size
    cursor.close()
    return found


def dig(db: sqlite3.Connection, dropped: Sequence[Dropped], beyond: int) -> None:
    """Note dropped batches, ascending; a hole that ends right before them, beyond the sequence, grows."""
    for span in _spans(dropped):
        _dig(db, span, beyond)
    db.executemany("UPDATE source SET dropped = dropped + ? WHERE name = ?", [(o.values, o.source) for o in dropped])


def _spans(dropped: Sequence[Dropped]) -> list[list[Dropped]]:
    spans: list[list[Dropped]] = []
    for one in dropped:
        if spans and spans[-1][-1].sequence == one.sequence - 1:
            spans[-1].append(one)
        else:
            spans.append([one])
    return spans


def _dig(db: sqlite3.Connection, span: Sequence[Dropped], beyond: int) -> None:
    first, accounts = span[0].sequence, dict[str, tuple[int, int]]()
    before = db.execute("SELECT first, accounts FROM hole WHERE last = ? AND last > ?", (first - 1, beyond)).fetchone()
    if before:
        db.execute("DELETE FROM hole WHERE last = ?", (first - 1,))
        first, accounts = before[0], _read(before[1])
    for one in span:
        accounts[one.source] = (accounts.get(one.source, (0, 0))[0] + one.values, one.accepted)
    db.execute("INSERT INTO hole VALUES (?, ?, ?)", (span[-1].sequence, first, json.dumps(accounts)))


def _read(accounts: str) -> dict[str, tuple[int, int]]:
    return {source: (values, accepted) for source, (values, accepted) in json.loads(accounts).items()}
