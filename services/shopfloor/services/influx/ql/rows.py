"""SELECT of fields as they are: rows by time, read in windows so that a LIMIT reads no more than it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.services.historian.options import MINUTE
from shopfloor.services.influx.ql.index import Entry, Place
from shopfloor.services.influx.ql.series import Groups, Series, Store, Values, check_size, evaluate, plain, titles
from shopfloor.services.influx.ql.syntax import Call, Column, Field, Portion, Select, fields

_FIRST: Final = MINUTE
_GROWTH: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The rows of one tag: UTC ns, number (NaN for texts), text (None for numbers), StatusCode."""

    time: NDArray[np.int64]
    value: NDArray[np.float64]
    text: NDArray[Any] | None
    quality: NDArray[np.uint32]

    def of(self, place: Place) -> Values:
        """The values of a field; a gap where the row holds none."""
        if place.is_quality:
            return list(self.quality.tolist())
        values: Values = [None if number != number else number for number in self.value.tolist()]  # noqa: PLR0124 (NaN)
        if self.text is None:
            return values
        return [number if text is None else text for number, text in zip(values, self.text.tolist(), strict=True)]


def answer(store: Store, select: Select, name: str, groups: Groups) -> list[Series]:
    """A series for each group that has rows."""
    columns = [column for column in select.columns if column.expression != Field("time")]
    wanted = {field.name for column in columns for field in fields(column.expression)}
    places = {
        id(entry): {name: place for name, place in store.index.fields(entry).items() if name in wanted}
        for entries in groups.values()
        for entry in entries
    }
    paths = list(dict.fromkeys(place.path for held in places.values() for place in held.values()))
    rows: dict[Any, list[list[Any]]] = {group: [] for group in groups}
    need = select.portion.offset + select.portion.limit if select.portion.limit else None
    for start, end in windows(store, select):
        found = read(store, paths, start, end)
        for group, entries in groups.items():
            fresh = [row for entry in entries for row in _rows(entry, places[id(entry)], columns, found)]
            fresh.sort(key=lambda row: row[0], reverse=select.portion.descending)
            rows[group] += fresh
        check_size(sum(len(held) for held in rows.values()))
        if need is not None and all(len(held) >= need for held in rows.values()):
            break
    return [
        Series(name, dict(group), titles(columns), cut(held, select.portion)) for group, held in rows.items() if held
    ]


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


def read(store: Store, paths: list[str], start: int, end: int) -> dict[str, Read]:
    """The rows of every path that has some in [start, end)."""
    table = store.reader.read(paths, start, end)
    check_size(table.num_rows)
    if not table.num_rows:
        return {}
    record = table.combine_chunks().to_batches()[0]
    tag = record.column("tag")
    index = tag.indices.to_numpy()
    cuts = np.append(np.flatnonzero(np.append(True, index[1:] != index[:-1])), len(index))
    time = record.column("time").view(pa.int64()).to_numpy(zero_copy_only=False)
    value = record.column("value").to_numpy(zero_copy_only=False)
    quality = record.column("quality").to_numpy(zero_copy_only=False)
    text = record.column("text")
    names = tag.dictionary.to_pylist()
    found = {}
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        part = text[low:high]
        words = part.to_numpy(zero_copy_only=False) if part.null_count < len(part) else None
        found[names[index[low]]] = Read(time[low:high], value[low:high], words, quality[low:high])
    return found


def cut(rows: list[list[Any]], portion: Portion) -> list[list[Any]]:
    """The rows that LIMIT and OFFSET leave."""
    return rows[portion.offset : portion.offset + portion.limit if portion.limit else None]


def _rows(entry: Entry, places: dict[str, Place], columns: list[Column], found: dict[str, Read]) -> list[list[Any]]:
    """The rows of one series: a time and its values; times at which no field has one are left out."""
    reads = {field: found[place.path] for field, place in places.items() if place.path in found}
    if not reads:
        return []
    times = np.unique(np.concatenate([part.time for part in reads.values()]))
    known: dict[Field | Call, Values] = {}
    for field, part in reads.items():
        aligned: NDArray[Any] = np.full(len(times), None, object)
        aligned[np.searchsorted(times, part.time)] = part.of(places[field])
        known[Field(field)] = aligned.tolist()
    held = list(zip(*known.values(), strict=True))
    for column in columns:
        for field_ in fields(column.expression):
            if field_ not in known:
                known[field_] = [entry.tags.get(field_.name)] * len(times)
    answers = [evaluate(column.expression, known, len(times)) for column in columns]
    return [
        [time, *map(plain, row)]
        for time, some, row in zip(times.tolist(), held, zip(*answers, strict=True), strict=True)
        if any(value is not None for value in some)
    ]
