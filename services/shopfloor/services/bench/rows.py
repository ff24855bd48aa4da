"""Notifications as numpy columns: one array for all items of a type, one copy per tick."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from numpy.typing import NDArray

_EPOCH: Final = 116_444_736_000_000_000  # 1970 in FILETIME ticks of 100 ns
_BODY: Final = ua.NodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
_MASK: Final = 0x01 | 0x04 | 0x08  # value, source time, server time


@dataclass(frozen=True, slots=True)
class Type:
    """A built-in type on the wire: its code, its columns, and the value before the first tick."""

    code: int
    value: tuple[tuple[str, str], ...]
    first: Any

    @property
    def layout(self) -> np.dtype[Any]:
        """One MonitoredItemNotification."""
        head = [("handle", "<u4"), ("mask", "u1"), ("type", "u1")]
        return np.dtype([*head, *self.value, ("source", "<i8"), ("server", "<i8")])


TYPES: Final = (
    Type(11, (("value", "<f8"),), -1.0),
    Type(6, (("value", "<i4"),), -1),
    Type(1, (("value", "u1"),), False),
    Type(12, (("size", "<i4"), ("value", "S10")), "-1"),
)


@dataclass(slots=True)
class Block:
    """The items of one subscription, type by type; `lead` is the item in whose queue their rows wait."""

    subscription: int
    lead: int
    queue: int
    _handles: dict[int, list[int]] = field(default_factory=dict)
    _parts: list[tuple[int, NDArray[Any]]] = field(default_factory=list)

    def add(self, kind: int, handle: int) -> None:
        """One more item of the type with the index `kind`."""
        self._handles.setdefault(kind, []).append(handle)
        self._parts.clear()

    def rows(self, tick: int, time: int) -> Rows:
        """What all items say at this tick; `time` is UTC ns."""
        if not self._parts:
            self._parts = [(kind, _empty(TYPES[kind], handles)) for kind, handles in self._handles.items()]
        for kind, part in self._parts:
            part["value"] = _value(TYPES[kind], tick)
            part["source"] = part["server"] = time // 100 + _EPOCH
        data = b"".join(part.tobytes() for _, part in self._parts)
        return Rows(tick, data, sum(len(part) for _, part in self._parts))


@dataclass(frozen=True, slots=True)
class Rows:
    """The encoded notifications of one tick."""

    tick: int
    data: bytes
    count: int


def _empty(one: Type, handles: Sequence[int]) -> NDArray[Any]:
    part = np.zeros(len(handles), one.layout)
    part["handle"], part["mask"], part["type"] = handles, _MASK, one.code
    if one.code == 12:
        part["size"] = 10
    return part


def _value(one: Type, tick: int) -> Any:
    if one.code == 12:
        return b"%010d" % tick
    return tick & 1 if one.code == 1 else tick


def encode(data: Any) -> Any:
    """A DataChangeNotification whose items are rows, or asyncua's own, as the body of an extension object."""
    if not isinstance(data, ua.DataChangeNotification):
        return data
    parts = [one.data if isinstance(one, Rows) else struct_to_binary(one) for one in data.MonitoredItems]
    count = sum(one.count if isinstance(one, Rows) else 1 for one in data.MonitoredItems)
    return ua.ExtensionObject(TypeId=_BODY, Body=b"".join([struct.pack("<i", count), *parts, struct.pack("<i", -1)]))
