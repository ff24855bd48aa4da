"""Reading a PublishResponse by its bytes: a fast loop for scalars, asyncua's own decoder for anything unusual.

Source: OPC 10000-6, 5.2 (DataValue 5.2.2.17, Variant 5.2.2.16); OPC 10000-4, 5.13.5 (Publish).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, variant_from_binary

_EPOCH_TICKS: Final = 116_444_736_000_000_000
_DATA_CHANGE: Final = 811
_STATUS_CHANGE: Final = 820
_U32: Final = struct.Struct("<I")
_I32: Final = struct.Struct("<i")
_U16: Final = struct.Struct("<H")
_I64: Final = struct.Struct("<q")
_FIXED: Final = {
    1: struct.Struct("<?"), 2: struct.Struct("<b"), 3: struct.Struct("<B"), 4: struct.Struct("<h"),
    5: struct.Struct("<H"), 6: struct.Struct("<i"), 7: struct.Struct("<I"), 8: struct.Struct("<q"),
    9: struct.Struct("<Q"), 10: struct.Struct("<f"), 11: struct.Struct("<d"),
}  # fmt: skip
_UINT64: Final = 9
_STRING: Final = 12


class Change(NamedTuple):
    """One value: the item's handle, a Python scalar or asyncua's Variant, StatusCode, times as UTC ns (0: none)."""

    handle: int
    value: Any
    status: int
    source_time: int
    server_time: int


@dataclass(slots=True)
class Notification:
    """One notification message. `keep_alive` carries no data, and `sequence` is then the next one.

    `bodies` are the DataChangeNotifications in it as they came, to be decoded once, by `Columns`; `values` counts
    what they hold together.
    """

    subscription: int
    sequence: int
    keep_alive: bool
    bodies: list[bytes] = field(default_factory=list)
    values: int = 0
    status: int = 0


def read_publish_response(body: Buffer) -> Notification:
    """Decode a PublishResponse; a bad service result raises asyncua's `UaStatusCodeError`."""
    nodeid_from_binary(body)
    header = struct_from_binary(ua.ResponseHeader, body)
    header.ServiceResult.check()
    subscription = _U32.unpack(body.read(4))[0]
    body.skip(4 * max(_I32.unpack(body.read(4))[0], 0) + 1)
    return _read_message(body, subscription)


def read_republish_response(body: Buffer, subscription: int) -> Notification:
    """Decode a RepublishResponse; a bad service result raises asyncua's `UaStatusCodeError`."""
    nodeid_from_binary(body)
    struct_from_binary(ua.ResponseHeader, body).ServiceResult.check()
    return _read_message(body, subscription)


def _read_message(body: Buffer, subscription: int) -> Notification:
    sequence = _U32.unpack(body.read(4))[0]
    body.skip(8)
    parts = _I32.unpack(body.read(4))[0]
    answer = Notification(subscription, sequence, keep_alive=parts <= 0)
    for _ in range(parts):
        _read_part(body, answer)
    return answer


def _read_part(body: Buffer, answer: Notification) -> None:
    kind = nodeid_from_binary(body)
    if not body.read(1)[0] & 1:
        return
    length = _I32.unpack(body.read(4))[0]
    data = bytes(body.read(length))
    if kind.NamespaceIndex == 0 and kind.Identifier == _DATA_CHANGE:
        answer.bodies.append(data)
        answer.values += max(_I32.unpack_from(data)[0], 0)
    elif kind.NamespaceIndex == 0 and kind.Identifier == _STATUS_CHANGE:
        answer.status = _U32.unpack_from(data)[0]


def read_changes(data: bytes) -> list[Change]:
    """Decode the body of a DataChangeNotification."""
    count = _I32.unpack_from(data)[0]
    position = 4
    changes = []
    for _ in range(count):
        handle = _U32.unpack_from(data, position)[0]
        change, position = _read_value(data, position + 4, handle)
        changes.append(change)
    return changes


def _read_value(data: bytes, position: int, handle: int) -> tuple[Change, int]:
    mask = data[position]
    position += 1
    value: Any = None
    if mask & 0x01:
        value, position = _read_variant(data, position)
    status = source = server = 0
    if mask & 0x02:
        status = _U32.unpack_from(data, position)[0]
        position += 4
    if mask & 0x04:
        source = _I64.unpack_from(data, position)[0]
        position += 8
        if mask & 0x10:
            source += _U16.unpack_from(data, position)[0] // 10_000
    position += 2 if mask & 0x10 else 0
    if mask & 0x08:
        server = _I64.unpack_from(data, position)[0]
        position += 8
    position += 2 if mask & 0x20 else 0
    return Change(handle, value, status, _ns(source), _ns(server)), position


def _read_variant(data: bytes, position: int) -> tuple[Any, int]:
    kind = data[position]
    fixed = _FIXED.get(kind)
    if fixed is not None:
        value = fixed.unpack_from(data, position + 1)[0]
        if kind == _UINT64 and value >= 2**63:
            value = float(value)
        return value, position + 1 + fixed.size
    if kind == _STRING:
        length = _I32.unpack_from(data, position + 1)[0]
        start = position + 5
        if length < 0:
            return "", start
        return data[start : start + length].decode("utf-8", "replace"), start + length
    rest = Buffer(data, position)
    return variant_from_binary(rest), rest.cur_pos


def _ns(ticks: int) -> int:
    return (ticks - _EPOCH_TICKS) * 100 if ticks > _EPOCH_TICKS else 0
