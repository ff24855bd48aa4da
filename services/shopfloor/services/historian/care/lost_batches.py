"""Naming batches that are lost: which, of which sources, and from when to when they may have been."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from shopfloor.plant import Batch, BatchError
from shopfloor.services.historian.log.logged import Entry


def sentences(db: sqlite3.Connection, lost: Sequence[Entry], path: Path) -> Iterator[tuple[str, list[Entry]]]:
    """A sentence for each range of sequences that are lost, with its batches. `db` has the batches that are left."""
    for span in _ranges(lost):
        yield f"{path}: {_which(span)}{_sources(db, span)}, {_times(db, span)}: unless a backup holds them.", span


def _ranges(lost: Sequence[Entry]) -> list[list[Entry]]:
    """Batches of a gateway that follow each other."""
    spans: list[list[Entry]] = []
    for entry in sorted(lost, key=lambda entry: (entry.gateway, entry.sequence)):
        last = spans[-1][-1] if spans else None
        if last is not None and (last.gateway, last.sequence + 1) == (entry.gateway, entry.sequence):
            spans[-1].append(entry)
        else:
            spans.append([entry])
    return spans


def _which(span: Sequence[Entry]) -> str:
    first, last = span[0].sequence, span[-1].sequence
    if first == last:
        return f"batch {first} of gateway {span[0].gateway} is lost"
    return f"batches {first} to {last} of gateway {span[0].gateway} are lost"


def _sources(db: sqlite3.Connection, span: Sequence[Entry]) -> str:
    """Sources and values where the rows still say them, else all sources of the gateway."""
    told = {entry.source: 0 for entry in span if entry.source is not None}
    for entry in span:
        if entry.source is not None:
            told[entry.source] += entry.values or 0
    if len(span) == sum(entry.source is not None for entry in span):
        return " (" + ", ".join(f"{values} values of {source}" for source, values in sorted(told.items())) + ")"
    query = "SELECT source FROM sources WHERE gateway = ? ORDER BY source"
    known = [source for (source,) in db.execute(query, (span[0].gateway,))]
    return f" (values of {' or '.join(known)})" if known else ""


def _times(db: sqlite3.Connection, span: Sequence[Entry]) -> str:
    """The times of the batches beside it."""
    gateway = span[0].gateway
    before = "SELECT body FROM log WHERE gateway = ? AND sequence < ? ORDER BY sequence DESC LIMIT 1"
    after = "SELECT body FROM log WHERE gateway = ? AND sequence > ? ORDER BY sequence LIMIT 1"
    start = _time(db.execute(before, (gateway, span[0].sequence)).fetchone(), newest=True)
    end = _time(db.execute(after, (gateway, span[-1].sequence)).fetchone(), newest=False)
    if start and end:
        return f"about from {start} to {end}"
    return (
        f"about from {start} on" if start else f"about until {end}" if end else "of the last minutes before it stopped"
    )


def _time(row: tuple[bytes] | None, *, newest: bool) -> str:
    try:
        time = Batch.from_bytes(row[0]).time if row else np.empty(0, np.int64)
    except BatchError:
        return ""
    if not len(time):
        return ""
    return f"{np.datetime64(int(time.max() if newest else time.min()), 'ns').astype('datetime64[s]')}Z"
