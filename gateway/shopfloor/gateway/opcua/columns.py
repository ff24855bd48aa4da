"""Notifications become batches, one for each kind: runs of numbers as columns, anything else value by value."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.opcua.items import Item
from shopfloor.gateway.opcua.layout import BOOLEAN, FLOATS, STATUS, UINT64, VALUE, times
from shopfloor.gateway.opcua.leaves import Scalar, empty, leaves, scalar
from shopfloor.gateway.opcua.table import Table
from shopfloor.gateway.opcua.values import Change, Run, Undecodable, runs
from shopfloor.plant import Batch

_logger = logging.getLogger(__name__)
_MISSING: Final[dict[type, Scalar]] = {float: math.nan, int: 0, str: ""}
_SHORTEST: Final = 8
_NOBODY, _FLOAT, _INT, _SINGLE = range(4)
_CODE: Final = {float: _FLOAT, int: _INT}


@dataclass(slots=True)
class Columns:
    """Knows the items by handle and what their arrays and structures last looked like.

    A notification that cannot be decoded keeps its values up to the damage; `malformed` counts such notifications and
    `malformed_sentence` says what is wrong with the last one.
    """

    items: dict[int, Item]
    malformed: int = 0
    malformed_sentence: str = ""
    _tables: dict[type, Table] = field(default_factory=dict)
    _shapes: dict[int, list[tuple[str, Scalar]]] = field(default_factory=dict)
    _codes: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        size = max(self.items, default=0) + 2
        self._tables = {float: Table(np.float64, size), int: Table(np.int64, size), str: Table(object, size)}
        self._codes = np.full(size, _NOBODY, np.uint8)
        for handle, item in self.items.items():
            self._codes[handle] = _CODE.get(item.kind, _SINGLE)

    def batches(self, bodies: Iterable[bytes], now: int) -> Iterator[Batch]:
        """What the notifications hold; a change without a source time gets the server's, or `now` (UTC ns)."""
        for body in bodies:
            try:
                for part in runs(body):
                    if isinstance(part, Run):
                        self._run(part, now)
                    else:
                        self._changes(part, now)
            except Undecodable as problem:
                self._damaged(problem)
        for table in self._tables.values():
            batch = table.take()
            if batch is not None:
                yield batch

    def _damaged(self, problem: Undecodable) -> None:
        self.malformed += 1
        sentence = f"A notification cannot be decoded, its values up to the damage are kept: {problem}"
        if sentence != self.malformed_sentence:
            _logger.warning("%s", sentence)
        self.malformed_sentence = sentence

    def _run(self, run: Run, now: int) -> None:
        handles = np.minimum(run.rows["handle"], len(self._codes) - 1).astype(np.intp)
        codes = self._codes.take(handles)
        first = codes[0]
        if (codes == first).all():
            self._part(run, handles, int(first), now)
            return
        ends = [*(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
        if len(ends) * _SHORTEST > len(codes):
            self._changes(run.changes(), now)
            return
        start = 0
        for end in ends:
            self._part(Run(run.layout, run.rows[start:end]), handles[start:end], int(codes[start]), now)
            start = end

    def _part(self, run: Run, handles: NDArray[np.intp], code: int, now: int) -> None:
        if code == _NOBODY:
            return
        column = None if code == _SINGLE else _column(run, code)
        if column is None:
            self._changes(run.changes(), now)
            return
        kind = int if column.dtype == np.int64 else float
        status = run.rows["status"] if run.layout.mask & STATUS else np.zeros(len(handles), np.uint32)
        self._tables[kind].extend(self._places(kind, handles), times(run.rows, now), column, status)

    def _places(self, kind: type, handles: NDArray[np.intp]) -> NDArray[np.int32]:
        table = self._tables[kind]
        places = table.by_handle.take(handles)
        if places.min() < 0:
            for handle in set(handles[places < 0].tolist()):
                table.by_handle[handle] = table.place(self.items[handle].tag)
            places = table.by_handle.take(handles)
        return places

    def _changes(self, changes: Iterable[Change], now: int) -> None:
        for handle, value, status, time in changes:
            item = self.items.get(handle)
            if item is None:
                continue
            kind = type(value)
            if kind is item.kind:
                self._tables[kind].add(item.tag, time or now, value, status)
            else:
                for tag, one in self._leaves(handle, item, value):
                    self._tables[type(one)].add(tag, time or now, one, status)

    def _leaves(self, handle: int, item: Item, value: Any) -> list[tuple[str, Scalar]]:
        found = list(leaves(item.tag, value))
        if not found:
            known = self._shapes.get(handle)
            if known is not None:
                return [(tag, empty(one)) for tag, one in known]
            return [(item.tag, _MISSING.get(item.kind, math.nan))]
        if found[0][0] != item.tag:
            self._shapes[handle] = found
            self._codes[handle] = _SINGLE
            return found
        if item.kind is object:
            item.kind = type(found[0][1])
            self._codes[handle] = _SINGLE if handle in self._shapes else _CODE.get(item.kind, _SINGLE)
        return [(item.tag, _as(item.kind, found[0][1]))]


def _column(run: Run, code: int) -> NDArray[Any] | None:
    """The values of a run for items that are all floats or all integers; None when they must be looked at singly."""
    kind = run.layout.type
    if not run.layout.mask & VALUE:
        return np.full(len(run.rows), math.nan) if code == _FLOAT else np.zeros(len(run.rows), np.int64)
    value: NDArray[Any] = run.rows["value"]
    if kind == BOOLEAN:
        return np.asarray(value != 0, np.float64)
    if code == _FLOAT or kind in FLOATS:
        with np.errstate(invalid="ignore"):
            floats: NDArray[Any] = value.astype(np.float64)
        return floats
    if kind == UINT64 and int(value.max()) >= 2**63:
        return None
    return np.asarray(value, np.int64)


def _as(kind: type, value: Scalar) -> Scalar:
    if kind is float and not isinstance(value, str):
        return float(value)
    if kind is str:
        return value if isinstance(value, str) else str(value)
    return scalar(value)
