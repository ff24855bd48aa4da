"""Reading around damaged pages of a SQLite database: every row that can still be reached, and which ones cannot.

A table's rows lie in one tree and what is unique of them in another one, so a row whose page is gone is often still
known by its id. Source: SQLite's file format, sections 1.6 and 2 (b-trees, rowid tables, automatic indexes).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

_GAP: Final = 1_000_000
"""So many ids are tried where neither tree says which ones there were."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A table after copying: how many rows came over, the ids of those known to be lost, and whether that is all.

    `whole` is False where rows may be lost that nothing knows of.
    """

    rows: int = 0
    lost: tuple[int, ...] = ()
    whole: bool = True


def salvage(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> Salvaged:
    """Copy what can be read of a table into the one of the same name; columns that only one of them has are left out.

    What is there already stays.
    """
    columns, key = _columns(old, new, table)
    if not columns:
        return Salvaged(whole=False)
    insert = f"INSERT OR IGNORE INTO {table}({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    if key is None:
        return _copy_scanned(old, new, table, columns, insert)
    ids, whole = known_ids(old, table, key)
    select = f"SELECT {', '.join(columns)} FROM {table} NOT INDEXED WHERE {key} = ?"  # noqa: S608
    rows, lost = 0, []
    for id_ in ids:
        found = read_row(old, select, id_)
        if found is None:
            lost.append(id_)
        else:
            rows += new.execute(insert, found).rowcount
    return Salvaged(rows, tuple(lost), whole)


def known_ids(db: sqlite3.Connection, table: str, key: str) -> tuple[list[int], bool]:
    """Ids of the rows that a table has, whether they can be read or not; and whether these are all."""
    up, whole = walk(db, f"SELECT {key} FROM {table} NOT INDEXED ORDER BY {key}")  # noqa: S608
    if whole:
        return [id_ for (id_,) in up], True
    down, _ = walk(db, f"SELECT {key} FROM {table} NOT INDEXED ORDER BY {key} DESC")  # noqa: S608
    listed, whole = _listed(db, table, key)
    found = {id_ for (id_,) in (*up, *down, *listed) if isinstance(id_, int)}
    if not whole and down:
        first, last = up[-1][0] if up else 0, down[-1][0]
        found |= {id_ for id_ in range(max(first, last - _GAP), last) if _is_there(db, table, key, id_)}
    return sorted(found), whole


def walk(db: sqlite3.Connection, query: str) -> tuple[list[Any], bool]:
    """Rows of a query up to the first that cannot be read; whether these are all."""
    found: list[Any] = []
    try:
        found.extend(db.execute(query))
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return found, False
    return found, True


def read_row(db: sqlite3.Connection, query: str, id_: int) -> tuple[Any, ...] | None:
    """The row of a query with one parameter; None when it cannot be read."""
    try:
        row: tuple[Any, ...] | None = db.execute(query, (id_,)).fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return None
    return row


def _is_there(db: sqlite3.Connection, table: str, key: str, id_: int) -> bool:
    return read_row(db, f"SELECT {key} FROM {table} NOT INDEXED WHERE {key} = ?", id_) is not None  # noqa: S608


def _listed(db: sqlite3.Connection, table: str, key: str) -> tuple[list[Any], bool]:
    """Ids as the index of a unique column knows them, from both of its ends."""
    unique = indexed(db, table)
    if unique is None:
        return [], False
    index, columns = unique
    found: list[Any] = []
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{column} {way}" for column in columns)
        part, whole = walk(db, f"SELECT {key} FROM {table} INDEXED BY {index} ORDER BY {order}")  # noqa: S608
        found += part
        if whole:
            return found, True
    return found, False


def indexed(db: sqlite3.Connection, table: str) -> tuple[str, list[str]] | None:
    """The index of a table's first unique columns, and these columns."""
    for _, name, unique, *_ in db.execute(f"PRAGMA index_list({table})").fetchall():
        if unique:
            return str(name), [str(row[2]) for row in db.execute(f"PRAGMA index_info({name})")]
    return None


def _columns(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> tuple[list[str], str | None]:
    """Columns that both have, and the one that is the row's id, if there is one."""
    theirs = {row[1] for row in old.execute(f"PRAGMA table_info({table})")}
    ours = new.execute(f"PRAGMA table_info({table})").fetchall()
    key = next((row[1] for row in ours if row[5] == 1 and row[2] == "INTEGER"), None)
    return [row[1] for row in ours if row[1] in theirs], key


def _copy_scanned(
    old: sqlite3.Connection, new: sqlite3.Connection, table: str, columns: Sequence[str], insert: str
) -> Salvaged:
    """A table without ids: from both ends as far as it goes."""
    keys = sorted((row for row in old.execute(f"PRAGMA table_info({table})") if row[5]), key=lambda row: int(row[5]))
    rows = 0
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{row[1]} {way}" for row in keys)
        found, whole = walk(old, f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}")  # noqa: S608
        rows += sum(new.execute(insert, row).rowcount for row in found)
        if whole:
            return Salvaged(rows)
    return Salvaged(rows, whole=False)
