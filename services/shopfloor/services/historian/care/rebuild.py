"""A new database out of what can be read of a damaged one, and sentences about what cannot."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shopfloor.plant import Batch, BatchError
from shopfloor.plant.counted import counted
from shopfloor.services.historian.care.lost_batches import sentences
from shopfloor.services.historian.care.relist import number_of, relisted
from shopfloor.services.historian.care.salvage import Salvaged, indexed, read_row, salvage, walk
from shopfloor.services.historian.log.log import set_aside
from shopfloor.services.historian.log.logged import Damaged, Entry, logged
from shopfloor.services.historian.segments import catalogue

_BESIDE: Final = ("meta", "gateways", "sources", "damaged", "mirrored", "rejections", "delivered", "refused")
_ACCOUNTS: Final = {
    "meta": "",
    "mirrored": "",
    "gateways": "accounts of gateways begin anew at their next batch",
    "sources": "accounts of sources begin anew at their next batch",
    "delivered": "segments go to the server stores again",
    "refused": "values that server stores refused are lost there; the store has them",
    "damaged": "earlier damage is no longer named",
    "rejections": "reasons for refused batches are lost",
}
"""What follows from rows that are lost; nothing that anybody must know where it is empty."""

_ALL_KINDS: Final = 7


def rebuilt(old: sqlite3.Connection, new: sqlite3.Connection, store: Path) -> Iterator[str]:
    """Fill a new database; a sentence for everything that is not in it."""
    _tables(old, new)
    for table in _BESIDE:
        found = salvage(old, new, table) if _has(new, table) else Salvaged()
        if (found.lost or not found.whole) and _ACCOUNTS[table]:
            yield f"{store}/log.db: rows of the table {table} are lost: {_ACCOUNTS[table]}."
    yield from _segments(old, new, store)
    yield from _tags(old, new, store)
    yield from _log(old, new, store)
    _numbers(old, new, store)


def _tables(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Tables that a part of the store made when it was needed."""
    found, _ = walk(old, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for name, made in found:
        if name in _BESIDE and not _has(new, name):
            new.execute(made)


def _has(db: sqlite3.Connection, table: str) -> bool:
    return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone())


def _segments(old: sqlite3.Connection, new: sqlite3.Connection, store: Path) -> Iterator[str]:
    """Where rows of the catalogue are lost, their files say what they held."""
    found = salvage(old, new, "segments")
    if not found.lost and found.whole:
        return
    listed = {name for (name,) in new.execute("SELECT name FROM segments")}
    files = [path for path in sorted(store.glob("day=*/*.parquet")) if path.name not in listed]
    lost = set(found.lost)
    for path in files:
        number = number_of(path)
        if number is None or (found.whole and number not in lost):
            continue
        segment = relisted(path)
        catalogue.add(new, [segment])
        lost.discard(number)
        if segment.size < 0:
            yield f"{path} is damaged as well as its row in the catalogue: its values are lost unless a backup has it."
    for number in sorted(lost):
        yield f"{store}: segment {number} has neither a file nor a row in the catalogue: nobody can say what it held."


def _tags(old: sqlite3.Connection, new: sqlite3.Connection, store: Path) -> Iterator[str]:
    """Names are in the index of paths as well; a number without a name gets one that says so."""
    found = salvage(old, new, "tags")
    named = dict(_names(old)) if found.lost or not found.whole else {}
    have = {id_ for (id_,) in new.execute("SELECT id FROM tags")}
    for id_ in range(max([-1, *have, *found.lost, *named]) + 1):
        if id_ in have:
            continue
        path = named.get(id_, f"recovered/unknown/unknown/unknown/unknown/tag-{id_}")
        new.execute("INSERT OR IGNORE INTO tags VALUES (?, ?, ?)", (id_, path, _ALL_KINDS))
        if id_ not in named:
            yield f"{store}/log.db: the name of tag {id_} is lost: its values are under {path}."
    if not found.whole:
        yield f"{store}/log.db: the list of tags is damaged: values of the newest ones may be without a name."


def _names(old: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    unique = indexed(old, "tags")
    for way in ("ASC", "DESC") if unique else ():
        yield from walk(old, f"SELECT id, path FROM tags INDEXED BY {unique[0]} ORDER BY path {way}")[0]  # type: ignore[index]  # noqa: S608


def _learn(new: sqlite3.Connection) -> None:
    """Batches bring their names with them: one whose number is lost gets another."""
    known = {path for (path,) in new.execute("SELECT path FROM tags")}
    for (id_,) in new.execute("SELECT id FROM log ORDER BY id").fetchall():
        (body,) = new.execute("SELECT body FROM log WHERE id = ?", (id_,)).fetchone()
        for name in _names_in(body):
            if name not in known:
                new.execute("INSERT INTO tags SELECT count(*), ?, ? FROM tags", (name, _ALL_KINDS))
                known.add(name)


def _names_in(body: bytes) -> tuple[str, ...]:
    try:
        return Batch.from_bytes(body).names
    except BatchError:
        return ()


def _log(old: sqlite3.Connection, new: sqlite3.Connection, store: Path) -> Iterator[str]:
    """Batches come over as they are; those that are lost or damaged are written down as such."""
    found = salvage(old, new, "log")
    _learn(new)
    ids = dict(new.execute("SELECT path, id FROM tags").fetchall())
    bad = [one for one in logged(new, ids.get, store / "log.db") if isinstance(one, Damaged)]
    for one in bad:
        set_aside(new, one.entry, one.sentence)
        yield one.sentence
    lost = [entry for id_ in found.lost if (entry := _entry(old, id_)) is not None]
    for sentence, entries in sentences(new, lost, store / "log.db"):
        for entry in entries:
            set_aside(new, entry, sentence)
        yield sentence
    nameless = len(found.lost) - len(lost)
    if nameless or not found.whole:
        what = counted(nameless, "batch", "batches") if nameless else "batches"
        yield (
            f"{store}/log.db: {what} of the last minutes {'are' if nameless else 'may be'} lost of which not even the"
            " gateway is known: compare with `shopfloor ledger` and a backup."
        )
    new.execute("INSERT OR IGNORE INTO gateways SELECT gateway, min(sequence), max(sequence) FROM log GROUP BY gateway")


def _entry(old: sqlite3.Connection, id_: int) -> Entry | None:
    """What is known of a batch that cannot be read: from its own row, else from the index of sequences."""
    row = read_row(old, "SELECT id, gateway, sequence, source, rows, crc FROM log NOT INDEXED WHERE id = ?", id_)
    if row is not None and isinstance(row[1], str) and isinstance(row[2], int):
        return Entry(*row)
    unique = indexed(old, "log")
    for way in ("ASC", "DESC") if unique else ():
        order = f"gateway {way}, sequence {way}"
        query = f"SELECT id, gateway, sequence FROM log INDEXED BY {unique[0]} ORDER BY {order}"  # type: ignore[index]  # noqa: S608
        for known in walk(old, query)[0]:
            if known[0] == id_:
                return Entry(known[0], known[1], known[2], None, None, None)
    return None


def _numbers(old: sqlite3.Connection, new: sqlite3.Connection, store: Path) -> None:
    """Numbers that were given once are not given again."""
    given = dict(walk(old, "SELECT name, seq FROM sqlite_sequence")[0])
    files = [number for path in store.glob("day=*/*") if (number := number_of(path)) is not None]
    for table, least in (("segments", max(files, default=0)), ("log", 0)):
        (have,) = new.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()  # noqa: S608
        seen = given.get(table, 0)
        number = max(have, least, seen if isinstance(seen, int) else 0)
        new.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        new.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, number))
