"""SELECT of fields as they are: rows by time, read in windows so that a LIMIT reads no more than it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.services.historian.options import MINUTE
from shopfloor.services.influx.ql.conditions import Sieve, sieve
from shopfloor.services.influx.ql.index import Entry, Place
from shopfloor.services.influx.ql.reads import Read, read
from shopfloor.services.influx.ql.series import Groups, Series, Store, Values, check_size, evaluate, plain, titles
from shopfloor.services.influx.ql.syntax import Call, Column, Field, Portion, Select, fields

_FIRST: Final = MINUTE
_GROWTH: Final = 4


@dataclass(frozen=True, slots=True)
class _Part:
    """One series: where its selected fields are read, and which of its rows are meant."""

    entry: Entry
    places: Mapping[str, Place]
    sieve: Sieve | None

    @property
    def paths(self) -> list[str]:
        return [place.path for place in self.places.values()] + (self.sieve.paths if self.sieve else [])


def _part(store: Store, entry: Entry, wanted: Collection[str]) -> _Part:
    held = store.index.fields(entry)
    return _Part(entry, {name: place for name, place in held.items() if name in wanted}, sieve(entry, held))


def answer(store: Store, select: Select, name: str, groups: Groups) -> list[Series]:
    """A series for each group that has rows."""
    columns = [column for column in select.columns if column.expression != Field("time")]
    wanted = {field.name for column in columns for field in fields(column.expression)}
    parts = {group: [_part(store, entry, wanted) for entry in entries] for group, entries in groups.items()}
    paths = list(dict.fromkeys(path for held in parts.values() for part in held for path in part.paths))
    rows: dict[Any, list[list[Any]]] = {group: [] for group in groups}
    need = select.portion.offset + select.portion.limit if select.portion.limit else None
    for start, end in windows(store, select):
        found = read(store, paths, start, end)
        for group, held in parts.items():
            fresh = [row for part in held for row in _rows(part, columns, found)]
            fresh.sort(key=lambda row: row[0], reverse=select.portion.descending)
            rows[group] += fresh
        check_size(sum(map(len, rows.values())))
        if need is not None and all(len(got) >= need for got in rows.values()):
            break
    return [Series(name, dict(group), titles(columns), cut(got, select.portion)) for group, got in rows.items() if got]


def windows(store: Store, select: Select) -> Iterator[tuple[int, int]]:
    """The span of a query in windows that grow, from its end when the newest rows are asked first."""
    oldest, newest = store.span()
    start = oldest if select.where.start is None else max(select.where.start, oldest)
    end = newest if select.where.end is None else min(select.where.end, newest)
    width = _FIRST
    while start < end:
        if select.portion.descending:
            yield max(start, end - width), end
            end -= width
        else:
            yield start, min(start + width, end)
            start += width
        width *= _GROWTH


def cut(rows: list[list[Any]], portion: Portion) -> list[list[Any]]:
    """The rows that LIMIT and OFFSET leave."""
    return rows[portion.offset : portion.offset + portion.limit if portion.limit else None]


def _rows(part: _Part, columns: list[Column], found: dict[str, Read]) -> list[list[Any]]:
    """The rows of one series: a time and its values; times at which no field has one are left out."""
    reads = {field: found[place.path] for field, place in part.places.items() if place.path in found}
    if not reads:
        return []
    times = np.unique(np.concatenate([one.time for one in reads.values()]))
    fits = part.sieve.fits(found, times).tolist() if part.sieve else [True] * len(times)
    known: dict[Field | Call, Values] = {}
    for field, one in reads.items():
        aligned: NDArray[Any] = np.full(len(times), None, object)
        aligned[np.searchsorted(times, one.time)] = one.of(part.places[field])
        known[Field(field)] = aligned.tolist()
    held = list(zip(*known.values(), strict=True))
    for column in columns:
        for field_ in fields(column.expression):
            if field_ not in known:
                known[field_] = [part.entry.tags.get(field_.name)] * len(times)
    answers = [evaluate(column.expression, known, len(times)) for column in columns]
    return [
        [time, *map(plain, row)]
        for time, fit, some, row in zip(times.tolist(), fits, held, zip(*answers, strict=True), strict=True)
        if fit and any(value is not None for value in some)
    ]
