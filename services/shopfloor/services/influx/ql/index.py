"""Which measurements, tags and fields there are: the store's tags as a client of InfluxDB sees them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian import StoreReader
from shopfloor.services.influx.names import Names
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.syntax import Condition, Regex

TYPES: Final = {Kind.FLOAT: "float", Kind.INT: "integer", Kind.TEXT: "string"}
_OWN: Final = {Kind.FLOAT: "value", Kind.INT: "integer", Kind.TEXT: "text"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field is read: a tag of the store, and whether its values or their qualities are meant."""

    path: str
    kind: Kind
    is_quality: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One series of a measurement. A tag of the plant's own is one path with several fields.

    `only` is what its rows must fit to be part of an answer.
    """

    tags: Mapping[str, str]
    bucket: str | None
    paths: dict[str, str] = field(default_factory=dict)
    only: Condition = None


class Index:
    """Measurements and their series; follows the store as it learns tags. Safe from any thread."""

    def __init__(self, names: Names, reader: StoreReader) -> None:
        self._names, self._reader = names, reader
        self._lock = threading.Lock()
        self._known = 0
        self._series: dict[str, dict[tuple[object, ...], Entry]] = {}
        self._buckets: set[str] = set()

    def databases(self) -> list[str]:
        """The buckets that something was written to."""
        self._follow()
        return sorted(self._buckets)

    def measurements(self, database: str, sources: Sequence[str | Regex] = ()) -> dict[str, list[Entry]]:
        """Series by measurement, sorted by name and tags: those that a database shows, all or the named ones."""
        self._follow()
        with self._lock:
            names = sorted(self._series)
            chosen = names if not sources else [name for name in _named(names, sources) if name in self._series]
            found = {name: list(self._series[name].values()) for name in chosen}
        shown = {
            name: sorted((e for e in entries if e.bucket in {None, database}), key=lambda e: sorted(e.tags.items()))
            for name, entries in found.items()
        }
        return {name: entries for name, entries in shown.items() if entries}

    def fields(self, entry: Entry) -> dict[str, Place]:
        """The fields of a series."""
        own = entry.paths.get("")
        if own is None:
            return {name: Place(path, self._kind(path)) for name, path in sorted(entry.paths.items())}
        kinds = self._reader.kinds(own)
        held = [kind for kind in kinds if kind is not Kind.INT or Kind.FLOAT not in kinds]
        return {_OWN[kind]: Place(own, kind) for kind in held} | {"quality": Place(own, Kind.INT, is_quality=True)}

    def _kind(self, path: str) -> Kind:
        kinds = self._reader.kinds(path)
        return kinds[0] if kinds else Kind.FLOAT

    def _follow(self) -> None:
        """Take up the tags that the store learned since."""
        with self._lock:
            for path in self._reader.tags()[self._known :]:
                self._known += 1
                series = self._names.series(path)
                key = (series.bucket, *sorted(series.tags.items()))
                entries = self._series.setdefault(series.measurement, {})
                entries.setdefault(key, Entry(series.tags, series.bucket)).paths[series.field] = path
                if series.bucket is not None:
                    self._buckets.add(series.bucket)


def matches(names: Iterable[str] | pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Which names a regex finds something in (RE2, which no pattern can keep busy)."""
    try:
        found = pc.match_substring_regex(
            names if isinstance(names, pa.Array) else pa.array(list(names), pa.string()), pattern
        )
    except pa.ArrowInvalid as problem:
        raise QueryError(f"/{pattern:.60}/ is no regex ({problem}): write it as RE2 has it") from problem
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def chosen(names: Sequence[str], patterns: Sequence[str | Regex]) -> list[str]:
    """Names in the order of the patterns; a name without a regex is answered as it is."""
    return list(dict.fromkeys(_named(names, patterns)))


def _named(names: Sequence[str], patterns: Sequence[str | Regex]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if isinstance(pattern, Regex):
            fits = matches(names, pattern.pattern).tolist()
            found += [name for name, fit in zip(names, fits, strict=True) if fit]
        else:
            found.append(pattern)
    return found
