"""SHOW: what there is, from the index."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from shopfloor.services.influx.ql.conditions import by_tags
from shopfloor.services.influx.ql.index import TYPES, Entry, chosen
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.series import Series, Store
from shopfloor.services.influx.ql.shape import escaped, tag_set
from shopfloor.services.influx.ql.syntax import Portion, Show

PLANT: Final = "shopfloor"
"""A database that shows the plant's own tags, as every other one does."""
_POLICY: Final = ["autogen", "0s", "168h0m0s", 1, True]


def show(store: Store, asked: Show, database: str) -> list[Series]:
    """The series of a SHOW."""
    if asked.what == "databases":
        names = sorted({*store.index.databases(), PLANT})
        return _portion([_list("databases", ["name"], names)], asked.portion)
    if asked.what == "retention policies":
        return [Series("", {}, ["name", "duration", "shardGroupDuration", "replicaN", "default"], [_POLICY])]
    if not database:
        raise QueryError("database name required: add the parameter db, or ON and its name")
    found = {
        name: fitting
        for name, entries in store.index.measurements(database, asked.sources).items()
        if (fitting := by_tags(store.index, entries, asked.where.condition))
    }
    return _portion(_shown(store, asked, found), asked.portion)


def _shown(store: Store, asked: Show, found: dict[str, list[Entry]]) -> list[Series]:
    if asked.what == "measurements":
        return [_list("measurements", ["name"], sorted(found))]
    if asked.what == "series":
        return [_list("", ["key"], sorted(_key(name, entry) for name, held in found.items() for entry in held))]
    if asked.what == "tag keys":
        return [_list(name, ["tagKey"], _tags(entries)) for name, entries in found.items()]
    if asked.what == "tag values":
        return [_tag_values(name, entries, asked) for name, entries in found.items()]
    return [_field_keys(store, name, entries) for name, entries in found.items()]


def _list(name: str, columns: list[str], values: list[Any]) -> Series:
    return Series(name, {}, columns, [[value] for value in values])


def _tags(entries: list[Entry]) -> list[str]:
    return sorted({tag for entry in entries for tag in entry.tags})


def _tag_values(name: str, entries: list[Entry], asked: Show) -> Series:
    keys = chosen(_tags(entries), asked.keys)
    pairs = {(key, entry.tags[key]) for entry in entries for key in keys if key in entry.tags}
    return Series(name, {}, ["key", "value"], [list(pair) for pair in sorted(pairs)])


def _field_keys(store: Store, name: str, entries: list[Entry]) -> Series:
    types = {(key, TYPES[place.kind]) for entry in entries for key, place in store.index.fields(entry).items()}
    return Series(name, {}, ["fieldKey", "fieldType"], [list(pair) for pair in sorted(types)])


def _key(name: str, entry: Entry) -> str:
    return ",".join([escaped(name, ", "), *([tag_set(entry.tags)] if entry.tags else [])])


def _portion(answers: list[Series], portion: Portion) -> list[Series]:
    end = portion.offset + portion.limit if portion.limit else None
    cut = [replace(series, values=series.values[portion.offset : end]) for series in answers]
    return [series for series in cut if series.values]
