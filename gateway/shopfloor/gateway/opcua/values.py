"""The values inside a DataChangeNotification: long runs of one layout as columns, the rest one by one.

A run is exact by induction: as long as every row before it has the layout of the first, a row begins where the sizes
say, and its own mask and type tell whether it still has that layout.

Source: OPC 10000-4, 7.25.2 (DataChangeNotification); OPC 10000-6, 5.2.2.16 (Variant), 5.2.2.17 (DataValue).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import variant_from_binary
from numpy.typing import NDArray
from shopfloor.gateway.opcua.layout import UINT64, VALUE, Layout, layout, nanoseconds

_SHORTEST: Final = 16
_STRIDE: Final = 8
_WINDOW: Final = 256
_HEAD: Final = 5
_STRING: Final = 12
_I32: Final = struct.Struct("<i")
_U32: Final = struct.Struct("<I")
_DAMAGE: Final = (
    ua.UaError,
    struct.error,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What asyncua's decoders raise on bytes that are no such value."""


class Undecodable(ValueError):  # noqa: N818 (a property of the bytes)
    """The bytes are no DataChangeNotification from some value on."""


Change = tuple[int, Any, int, int]
"""One value: the item's handle, a Python scalar or asyncua's Variant, StatusCode, UTC ns (0: it has no time)."""


class Run(NamedTuple):
    """Values of one layout in a row, as a structured array over the bytes of the notification."""

    layout: Layout
    rows: NDArray[Any]

    def changes(self) -> list[Change]:
        """The same one by one."""
        data = self.rows.tobytes()
        return [_scalar(self.layout, data, at) for at in range(0, len(data), self.layout.size)]


def runs(data: bytes) -> Iterator[Run | list[Change]]:
    """Every value in its order; `Undecodable` after the last good one when the bytes are damaged."""
    left, position = _count(data), 4
    single: list[Change] = []
    try:
        while left > 0:
            run = _run(data, position, left) if left >= _SHORTEST else None
            if run is None:
                for _ in range(min(_STRIDE, left)):
                    change, position = _change(data, position)
                    single.append(change)
                    left -= 1
                continue
            if single:
                yield single
                single = []
            yield run
            position += run.rows.nbytes
            left -= len(run.rows)
    except _DAMAGE as problem:
        if single:
            yield single
        raise Undecodable(f"{len(data)} bytes of a notification end or break at byte {position}.") from problem
    if single:
        yield single


def read_changes(data: bytes) -> list[Change]:
    """Every value one by one, which `runs` must equal; `Undecodable` for damaged bytes."""
    changes, position = [], 4
    try:
        for _ in range(_count(data)):
            change, position = _change(data, position)
            changes.append(change)
    except _DAMAGE as problem:
        raise Undecodable(f"{len(data)} bytes of a notification end or break at byte {position}.") from problem
    return changes


def _count(data: bytes) -> int:
    if len(data) < _I32.size:
        raise Undecodable(f"{len(data)} bytes are no notification: it begins with 4 bytes that count its values.")
    return int(_I32.unpack_from(data)[0])


def _run(data: bytes, position: int, left: int) -> Run | None:
    """The run that begins here, or None when it is not worth columns."""
    found = _layout(data, position)
    if found is None:
        return None
    size = found.size
    there = min(left, (len(data) - position) // size)
    if there < _SHORTEST or _layout(data, position + (_SHORTEST - 1) * size) is not found:
        return None
    rows = np.frombuffer(data, found.dtype, there, position)
    same = _same(rows["key"], found.key)
    return Run(found, rows[:same]) if same >= _SHORTEST else None


def _layout(data: bytes, position: int) -> Layout | None:
    mask = data[position + 4]
    return layout(mask, data[position + 5] if mask & VALUE else 0)


def _same(keys: NDArray[Any], key: int) -> int:
    """How many of the first keys are `key`, looked up in growing windows, so that a short run costs little."""
    start, window = 0, _WINDOW
    while start < len(keys):
        other = keys[start : start + window] != key
        first = int(other.argmax())
        if other[first]:
            return start + first
        start, window = start + window, window * 8
    return len(keys)


def _change(data: bytes, position: int) -> tuple[Change, int]:
    mask = data[position + 4]
    found = layout(mask, data[position + 5] if mask & VALUE else 0)
    if found is not None:
        return _scalar(found, data, position), position + found.size
    value, end = _variant(data, position + 5)
    rest = _after_value(mask)
    start = end - _HEAD
    row = rest.pick((*rest.unpack(data, start), None, 0))
    return (_U32.unpack_from(data, position)[0], value, row[2], nanoseconds(*row[3:])), start + rest.size


@cache
def _after_value(mask: int) -> Layout:
    """What follows a value of any size: the layout without one, of which handle and mask are not looked at."""
    found = layout(mask & ~VALUE, 0)
    assert found is not None, "without a value every size is fixed"  # noqa: S101
    return found


def _scalar(found: Layout, data: bytes, position: int) -> Change:
    handle, value, status, source, source_fine, server, server_fine = found.pick(
        (*found.unpack(data, position), None, 0)
    )
    if found.type == UINT64 and value >= 2**63:
        value = float(value)
    return handle, value, status, nanoseconds(source, source_fine, server, server_fine)


def _variant(data: bytes, position: int) -> tuple[Any, int]:
    if data[position] == _STRING:
        start = position + 5
        end = start + max(_I32.unpack_from(data, position + 1)[0], 0)
        if end > len(data):
            raise Undecodable(f"A text of {end - start} bytes does not fit.")
        return data[start:end].decode("utf-8", "replace"), end
    rest = _Strict(data, position)
    if data[position] & 0x80 and _I32.unpack_from(data, position + 1)[0] > len(rest):
        raise Undecodable("An array has more elements than bytes.")
    return variant_from_binary(rest), rest.cur_pos


class _Strict(Buffer):  # type: ignore[misc]
    """asyncua's buffer, without its way of going back when a length is negative."""

    def read(self, size: int) -> bytes:
        if size < 0:
            raise Undecodable(f"A length of {size} is none.")
        data: bytes = super().read(size)
        return data

    def copy(self, size: int = -1) -> Buffer:
        if size < -1:
            raise Undecodable(f"A length of {size} is none.")
        return super().copy(size)
