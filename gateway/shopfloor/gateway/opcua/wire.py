"""Reading a PublishResponse by its bytes; the values in it stay as they came until they are decoded, once.

Source: OPC 10000-6, 5.2 (NodeId 5.2.2.9, ExtensionObject 5.2.2.15); OPC 10000-4, 5.13.5 (Publish), 7.33.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary

_DATA_CHANGE: Final = 811
_STATUS_CHANGE: Final = 820
_EVENTS: Final = 916
_U32: Final = struct.Struct("<I")
_I32: Final = struct.Struct("<i")
_HEADER: Final = struct.Struct("<4sqIIBiHB")
_FOUR_BYTE_ID: Final = b"\x01\x00"


@dataclass(slots=True)
class Notification:
    """One notification message. `keep_alive` carries no data, and `sequence` is then the next one.

    `bodies` are the DataChangeNotifications in it as they came, to be decoded once, by `Columns`, `events` its
    EventNotificationLists; `values` counts what they hold together.
    """

    subscription: int
    sequence: int
    keep_alive: bool
    bodies: list[bytes] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    values: int = 0
    status: int = 0


def read_publish_response(body: Buffer) -> Notification:
    """Decode a PublishResponse; a bad service result raises asyncua's `UaStatusCodeError`."""
    _read_header(body)
    subscription = _U32.unpack(body.read(4))[0]
    body.skip(4 * max(_I32.unpack(body.read(4))[0], 0) + 1)
    return _read_message(body, subscription)


def read_republish_response(body: Buffer, subscription: int) -> Notification:
    """Decode a RepublishResponse; a bad service result raises asyncua's `UaStatusCodeError`."""
    _read_header(body)
    return _read_message(body, subscription)


def _read_header(body: Buffer) -> None:
    """The usual header (good, no diagnostics, no texts, nothing additional) in one step, any other by asyncua."""
    if len(body) >= _HEADER.size:
        first = body.copy()
        kind, _, _, result, diagnostics, texts, additional, encoding = _HEADER.unpack(first.read(_HEADER.size))
        if kind.startswith(_FOUR_BYTE_ID) and texts <= 0 and not (result or diagnostics or additional or encoding):
            body.skip(_HEADER.size)
            return
    nodeid_from_binary(body)
    struct_from_binary(ua.ResponseHeader, body).ServiceResult.check()


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
    if length < 0:
        raise ua.UaError(f"a part of a notification has the length {length}")
    data = bytes(body.read(length))
    if kind.NamespaceIndex == 0 and kind.Identifier == _DATA_CHANGE:
        answer.bodies.append(data)
        answer.values += max(int.from_bytes(data[:4], "little", signed=True), 0)
    elif kind.NamespaceIndex == 0 and kind.Identifier == _EVENTS:
        answer.events.append(data)
        answer.values += max(int.from_bytes(data[:4], "little", signed=True), 0)
    elif kind.NamespaceIndex == 0 and kind.Identifier == _STATUS_CHANGE:
        answer.status = int.from_bytes(data[:4], "little")
