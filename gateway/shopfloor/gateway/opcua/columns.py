"""Changes of monitored items become batches, one for each kind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import numpy as np
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.leaves import Scalar, empty, leaves, scalar
from shopfloor.gateway.opcua.wire import read_changes
from shopfloor.plant import Batch

_DTYPE: Final[dict[type, Any]] = {float: np.float64, int: np.int64, str: object}
_MISSING: Final[dict[type, Scalar]] = {float: math.nan, int: 0, str: ""}


@dataclass(slots=True)
class _Rows:
    tag: list[str] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[Any] = field(default_factory=list)
    status: list[int] = field(default_factory=list)

    def add(self, tag: str, time: int, value: Scalar, status: int) -> None:
        self.tag.append(tag)
        self.time.append(time)
        self.value.append(value)
        self.status.append(status)

    def batch(self, kind: type) -> Batch:
        index: dict[str, int] = {}
        tags = [index.setdefault(tag, len(index)) for tag in self.tag]
        return Batch(
            tuple(index),
            np.array(tags, np.int32),
            np.array(self.time, np.int64),
            np.array(self.value, _DTYPE[kind]),
            np.array(self.status, np.uint32),
        )


@dataclass(slots=True)
class Columns:
    """Knows the items by handle and what their arrays and structures last looked like."""

    items: dict[int, Item]
    _shapes: dict[int, list[tuple[str, Scalar]]] = field(default_factory=dict)

    def batches(self, bodies: Iterable[bytes], now: int) -> Iterator[Batch]:
        """What the notifications hold; a change without a source time gets the server's, or `now` (UTC ns)."""
        rows: dict[type, _Rows] = {float: _Rows(), int: _Rows(), str: _Rows()}
        for change in chain.from_iterable(map(read_changes, bodies)):
            item = self.items.get(change.handle)
            if item is None:
                continue
            time = change.source_time or change.server_time or now
            value = change.value
            kind = type(value)
            if kind is item.kind:
                rows[kind].add(item.tag, time, value, change.status)
            else:
                for tag, one in self._leaves(change.handle, item, value):
                    rows[type(one)].add(tag, time, one, change.status)
        for kind, column in rows.items():
            if column.tag:
                yield column.batch(kind)

    def _leaves(self, handle: int, item: Item, value: Any) -> list[tuple[str, Scalar]]:
        found = list(leaves(item.tag, value))
        if not found:
            known = self._shapes.get(handle)
            if known is not None:
                return [(tag, empty(one)) for tag, one in known]
            return [(item.tag, _MISSING.get(item.kind, math.nan))]
        if found[0][0] != item.tag:
            self._shapes[handle] = found
            return found
        if item.kind is object:
            item.kind = type(found[0][1])
        return [(item.tag, _as(item.kind, found[0][1]))]


def _as(kind: type, value: Scalar) -> Scalar:
    if kind is float and not isinstance(value, str):
        return float(value)
    if kind is str:
        return value if isinstance(value, str) else str(value)
    return scalar(value)
