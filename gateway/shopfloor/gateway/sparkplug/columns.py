"""Values on their way from payloads to batches: one column set for each kind, tags as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.sparkplug.datatypes import Scalar
from shopfloor.plant import Batch, Kind

DTYPE: Final = {Kind.FLOAT: np.dtype(np.float64), Kind.INT: np.dtype(np.int64), Kind.TEXT: np.dtype(object)}
_KINDS: Final = tuple(Kind)
_KNOWN: Final = 256
_KIND: Final = {float: Kind.FLOAT, int: Kind.INT, str: Kind.TEXT}


class Part(NamedTuple):
    """Columns of one length and kind: tag numbers, UTC ns, values, OPC UA statuses."""

    tag: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[Any]
    status: NDArray[np.uint32]


@dataclass(slots=True)
class Paths:
    """Every tag path of a source and its number."""

    names: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, path: str) -> int:
        """The number of a path, a new one if need be."""
        number = self._numbers.setdefault(path, len(self.names))
        if number == len(self.names):
            self.names.append(path)
        return number


@dataclass(slots=True)
class Columns:
    """Collects parts and single values until they become batches."""

    paths: Paths
    _parts: dict[Kind, list[Part]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    _known: dict[bytes, tuple[tuple[str, ...], NDArray[np.int32]]] = field(default_factory=dict)
    _singles: dict[Kind, list[tuple[int, int, Scalar, int]]] = field(default_factory=lambda: {k: [] for k in Kind})

    def add(self, kind: Kind, part: Part) -> None:
        """Take columns of one kind."""
        if self._singles[kind]:
            self._seal(kind)
        if len(part.tag):
            self._parts[kind].append(part)

    def single(self, tag: int, time: int, value: Scalar, status: int) -> None:
        """Take one value."""
        self._singles[_KIND[type(value)]].append((tag, time, value, status))

    def batches(self) -> Iterator[Batch]:
        """All that was collected, one batch for each kind."""
        for kind in _KINDS:
            if self._singles[kind]:
                self._seal(kind)
            parts, self._parts[kind] = self._parts[kind], []
            if parts:
                yield self._batch(parts)

    def _seal(self, kind: Kind) -> None:
        """Put single values where they came, so that values of one tag keep their order."""
        self._parts[kind].append(_part(kind, self._singles[kind]))
        self._singles[kind] = []

    def _batch(self, parts: list[Part]) -> Batch:
        tag, time, value, status = (
            parts[0] if len(parts) == 1 else Part(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        )
        names, local = self._named(tag)
        return Batch(names, local, time, value, status)

    def _named(self, tag: NDArray[np.int32]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        """The names in a column, and the column as indices into them; a node often reports the same tags again."""
        key = tag.tobytes()
        known = self._known.get(key)
        if known is None:
            numbers, local = np.unique(tag, return_inverse=True)
            known = tuple(self.paths.names[number] for number in numbers.tolist()), local.astype(np.int32)
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[key] = known
        return known


def _part(kind: Kind, rows: list[tuple[int, int, Scalar, int]]) -> Part:
    tag, time, value, status = zip(*rows, strict=True)
    return Part(
        np.array(tag, np.int32), np.array(time, np.int64), np.array(value, DTYPE[kind]), np.array(status, np.uint32)
    )
