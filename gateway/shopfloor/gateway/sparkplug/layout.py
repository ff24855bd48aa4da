"""Payloads of one form, read as columns of bytes.

A node that sends the same metrics again sends the same bytes but for the times and the values.

A layout is learnt from one payload that protobuf has read. Another payload has the same form when it has the same
length, every byte that is no time and no value is equal, and every variable-length number ends where it did. Then, by
the encoding rules of protobuf, it has the same fields in the same places. Anything else goes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.sparkplug.columns import DTYPE, Columns, Part
from shopfloor.gateway.sparkplug.datatypes import signed
from shopfloor.gateway.sparkplug.plans import Group, Plan
from shopfloor.plant import Kind

_FREE, _LENGTH = 0x00, 0x80
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_STAMP, _METRIC, _SEQ = 1, 2, 3
_TIME: Final = 3
_VALUES: Final = {10: "int_value", 11: "long_value", 12: "float_value", 13: "double_value", 14: "boolean_value"}
_NUMBERS: Final = {name: number for number, name in _VALUES.items()}
_FIXED: Final = {"float_value": "<f4", "double_value": "<f8"}
_OTHERS: Final = frozenset(range(15, 20))
_LATEST_MS: Final = (2**63 - 1) // 1_000_000
_NS: Final = 1_000_000
_LOW: Final = np.uint8(0x7F)
_UINT32: Final = np.uint64(0xFFFF_FFFF)
_WEIGHTS: Final = np.uint64(1) << np.arange(0, 70, 7, dtype=np.uint64)
Span = tuple[int, int]


class _UnfitError(Exception):
    """A payload has no form that a layout can describe."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """The values of one group: where their bytes are, one value a row, and where they go in the column."""

    group: Group
    places: NDArray[np.intp]
    span: slice


@dataclass(frozen=True, slots=True)
class _Column:
    """All values of one kind; `rows` says which metrics they are."""

    kind: Kind
    tags: NDArray[np.int32]
    rows: NDArray[np.intp]
    status: NDArray[np.uint32]
    pieces: tuple[_Piece, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The form of a payload. `sequence` and `sent` are where its sequence number and its time begin."""

    mask: NDArray[np.uint8]
    expected: NDArray[np.uint8]
    sequence: int
    sent: int
    times: NDArray[np.intp]
    columns: tuple[_Column, ...]
    status: NDArray[np.uint32]

    @classmethod
    def learn(cls, data: bytes, plan: Plan, status: NDArray[np.uint32]) -> Layout | None:
        """The layout of a payload that this plan reads, or None when it has none."""
        mask = np.full(len(data), 0xFF, np.uint8)
        try:
            top, metrics = _scan(data, mask)
            if plan.compounds or not metrics:
                return None
            times = _places([spans[_TIME] for spans in metrics], len(data))
            columns = tuple(_columns(plan, metrics, status, len(data)))
            sequence, sent = top[_SEQ][0], top[_STAMP][0]
        except (_UnfitError, KeyError, IndexError):
            return None
        return cls(mask, np.frombuffer(data, np.uint8) & mask, sequence, sent, times, columns, status)

    def fits(self, data: bytes) -> bool:
        """Whether a payload has this form."""
        return np.array_equal(np.frombuffer(data, np.uint8) & self.mask, self.expected)

    def read(self, data: bytes, columns: Columns) -> NDArray[np.int64] | None:
        """Put the values of a payload of this form into the columns, and answer their times (UTC ns).

        None, with nothing put there, for one with a time that no clock says or an integer beyond int64.
        """
        raw = np.frombuffer(data + b"\0", np.uint8)
        given = _numbers(raw[self.times])
        if int(given.min()) == 0 or int(given.max()) > _LATEST_MS:
            return None
        times = given.astype(np.int64) * _NS
        parts = [(column.kind, _part(column, raw, times)) for column in self.columns]
        if any(part is None for _, part in parts):
            return None
        for kind, part in parts:
            columns.add(kind, part)  # type: ignore[arg-type]
        return times


def _part(column: _Column, raw: NDArray[np.uint8], times: NDArray[np.int64]) -> Part | None:
    value = np.empty(len(column.rows), DTYPE[column.kind])
    for piece in column.pieces:
        found = _values(piece.group, raw[piece.places])
        if found is None:
            return None
        value[piece.span] = found
    return Part(column.tags, times[column.rows], value, column.status)


def _values(group: Group, raw: NDArray[np.uint8]) -> NDArray[np.float64] | NDArray[np.int64] | None:
    fixed = _FIXED.get(group.value_field)
    if fixed is not None:
        floats: NDArray[np.float64] = raw.view(fixed)[:, 0].astype(np.float64)
        return floats
    numbers = _numbers(raw)
    if group.kind is Kind.FLOAT:
        truths: NDArray[np.float64] = (numbers != 0).astype(np.float64)
        return truths
    if group.value_field == "int_value":
        numbers &= _UINT32
    bits = signed(group.code)
    if bits:
        return numbers.astype(f"u{bits // 8}").view(f"i{bits // 8}").astype(np.int64)
    return None if int(numbers.max()) >= 2**63 else numbers.view(np.int64)


def _numbers(raw: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Variable-length numbers, one a row, filled up with zeros."""
    return (raw & _LOW).astype(np.uint64) @ _WEIGHTS[: raw.shape[1]]


def _columns(plan: Plan, metrics: Sequence[dict[int, Span]], status: NDArray[np.uint32], end: int) -> Iterator[_Column]:
    for kind in Kind:
        groups = [group for group in plan.groups if group.kind is kind]
        if not groups:
            continue
        members = [np.arange(len(metrics)) if group.rows is None else group.rows for group in groups]
        stops = np.cumsum([len(rows) for rows in members]).tolist()
        pieces = (
            _Piece(
                group,
                _places([metrics[row][_NUMBERS[group.value_field]] for row in rows.tolist()], end),
                slice(start, stop),
            )
            for group, rows, start, stop in zip(groups, members, [0, *stops], stops, strict=False)
        )
        rows = np.concatenate(members)
        yield _Column(kind, np.concatenate([group.tags for group in groups]), rows, status[rows], tuple(pieces))


def _places(spans: Sequence[Span], end: int) -> NDArray[np.intp]:
    """Where the bytes of some fields are, one field a row; a shorter one is filled up from the zero at `end`."""
    start, stop = np.array(spans, np.intp).T[:, :, None]
    places = start + np.arange((stop - start).max())
    return np.where(places < stop, places, end)


def _scan(data: bytes, mask: NDArray[np.uint8]) -> tuple[dict[int, Span], list[dict[int, Span]]]:
    """Where the fields of a payload and of its metrics are; times and values are freed in the mask."""
    top: dict[int, Span] = {}
    metrics = []
    for number, wire, span in _fields(data, 0, len(data)):
        if number == _METRIC and wire == _BYTES:
            metrics.append(_scan_metric(data, span, mask))
        elif number in {_STAMP, _SEQ} and wire == _VARINT and number not in top:
            mask[slice(*span)] = _LENGTH
            top[number] = span
        elif number in {_STAMP, _SEQ}:
            raise _UnfitError
    return top, metrics


def _scan_metric(data: bytes, within: Span, mask: NDArray[np.uint8]) -> dict[int, Span]:
    spans: dict[int, Span] = {}
    for number, wire, span in _fields(data, *within):
        if number in _OTHERS or number in spans:
            raise _UnfitError
        if number == _TIME or number in _VALUES:
            mask[slice(*span)] = _LENGTH if wire == _VARINT else _FREE
        spans[number] = span
    if sum(number in _VALUES for number in spans) != 1:
        raise _UnfitError
    return spans


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, Span]]:
    """Number, wire type and the span of the content of each field."""
    while at < end:
        key, start = varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            at = varint(data, start)[1]
        elif wire == _BYTES:
            size, start = varint(data, start)
            at = start + size
        elif wire in {_FIXED32, _FIXED64}:
            at = start + (4 if wire == _FIXED32 else 8)
        else:
            raise _UnfitError
        yield key >> 3, wire, (start, at)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number and where it ends.

    >>> varint(bytes([0xAC, 0x02]), 0)
    (300, 2)
    """
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
