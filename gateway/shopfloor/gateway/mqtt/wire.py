"""MQTT on the wire, as far as a gateway needs it: versions 3.1.1 and 5, QoS 0 and 1. Pure: no network, no clock.

Sources: OASIS MQTT Version 3.1.1 and MQTT Version 5.0; the section numbers in this file are those of version 5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
V311: Final = 4
V5: Final = 5
PING: Final = b"\xc0\x00"
GOODBYE: Final = b"\xe0\x00"

Message = tuple[bytes, bytes, int, int]
"""A published message: topic (UTF-8), payload, packet identifier (0 for QoS 0), and when it arrived (UTC ns)."""


class WireError(ValueError):
    """Bytes that are no MQTT."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained or not, when this client goes without a goodbye."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Hello:
    """What a client says of itself. A `lasting` session is kept by the broker while the client is away.

    `receive_maximum` is how many unacknowledged messages this client takes; only version 5 can say it.
    """

    client_id: str
    keepalive: int = 15
    lasting: bool = False
    session_s: int = 7 * 86_400
    receive_maximum: int = 10_000
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    will: Will | None = None


def connect(hello: Hello, version: int) -> bytes:
    """CONNECT (3.1)."""
    flags = 0 if hello.lasting else 0x02
    parts = [_text(hello.client_id)]
    if hello.will is not None:
        flags |= 0x04 | 0x08 | (0x20 if hello.will.retain else 0)
        parts += [b"\x00"] if version == V5 else []
        parts += [_text(hello.will.topic), _binary(hello.will.payload)]
    if hello.user is not None:
        flags |= 0x80
        parts.append(_text(hello.user))
    if hello.password is not None:
        flags |= 0x40
        parts.append(_text(hello.password))
    head = _text("MQTT") + struct.pack(">BBH", version, flags, hello.keepalive)
    if version == V5:
        session = hello.session_s if hello.lasting else 0
        given = struct.pack(">BIBH", 0x11, session, 0x21, hello.receive_maximum)
        head += bytes([len(given)]) + given
    return packet(CONNECT << 4, head, *parts)


def subscribe(mid: int, topics: Sequence[str], qos: int, version: int) -> bytes:
    """SUBSCRIBE (3.8). Version 5 is asked for retained messages on a new subscription only, not on every return."""
    qos |= 0x10 if version == V5 else 0
    head = struct.pack(">H", mid) + (b"\x00" if version == V5 else b"")
    return packet(SUBSCRIBE << 4 | 2, head, *(_text(topic) + bytes([qos]) for topic in topics))


def publish(topic: str, payload: bytes, mid: int, version: int, *, retain: bool = False) -> bytes:
    """PUBLISH (3.3): QoS 1 with a packet identifier, QoS 0 without (`mid` 0)."""
    head = _text(topic) + (struct.pack(">H", mid) if mid else b"") + (b"\x00" if version == V5 else b"")
    return packet(PUBLISH << 4 | (2 if mid else 0) | retain, head, payload)


def acknowledge(mids: Sequence[int]) -> bytes:
    """One PUBACK (3.4) for each packet identifier.

    >>> acknowledge([1, 258]).hex(" ")
    '40 02 00 01 40 02 01 02'
    """
    rows = np.empty((len(mids), 2), ">u2")
    rows[:, 0] = PUBACK << 12 | 2
    rows[:, 1] = mids
    return rows.tobytes()


def packet(head: int, *parts: bytes) -> bytes:
    """A control packet: first byte, length, the rest (2.1)."""
    body = b"".join(parts)
    size, length = len(body), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([head, *length, size]) + body


@dataclass(slots=True)
class Parser:
    """Cuts a stream into packets, wherever its chunks end.

    Published messages are appended to `messages` (`numbered` counts those of QoS 1), every other packet to `control`
    as (type, body). Whoever takes them empties these. `holds` says
    whether a packet identifier is one that the client has not acknowledged yet: what comes again under it is the
    same message.
    """

    version: int
    holds: Callable[[int], bool] = lambda _mid: False
    messages: list[Message] = field(default_factory=list)
    control: list[tuple[int, bytes]] = field(default_factory=list)
    numbered: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _have: int = 0
    _need: int = 0

    def feed(self, data: bytes, now: int) -> None:
        """Take the next bytes, which arrived at `now`; `WireError` says that they are no MQTT."""
        self._have += len(data)
        if self._parts:
            self._parts.append(data)
            if self._have < self._need:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        try:
            done = self._packets(data, now)
        except (IndexError, struct.error) as problem:
            raise WireError("a packet ends too early") from problem
        self._have = len(data) - done
        if self._have:
            self._parts.append(data[done:] if done else data)

    def _packets(self, data: bytes, now: int) -> int:
        at, end = 0, len(data)
        self._need = 2
        five, append = self.version == V5, self.messages.append
        while end - at >= 2:
            head, size, start = data[at], data[at + 1], at + 2
            if size > 127:
                size, start = length(data, at + 1)
                if size < 0:
                    break
            stop = start + size
            if stop > end:
                self._need = stop - at
                break
            if head >> 4 != PUBLISH:
                self.control.append((head >> 4, data[start:stop]))
            else:
                topic, mid = start + 2, 0
                body = end_of_topic = topic + (data[start] << 8 | data[start + 1])
                if head & 0x06:
                    mid = data[body] << 8 | data[body + 1]
                    body += 2
                if five:
                    body = _after_properties(data, body)
                if body > stop or head & 0x04 or (head & 0x02 and not mid):
                    raise WireError("a message is shorter than its header says, of QoS 2, or has no packet identifier")
                if not (head & 0x08 and self.holds(mid)):
                    append((data[topic:end_of_topic], data[body:stop], mid, now))
                    self.numbered += mid > 0
            at = stop
        return at


def _after_properties(data: bytes, at: int) -> int:
    if not data[at]:
        return at + 1
    size, at = length(data, at)
    return at + size


def length(data: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer (1.5.5) and where it ends; (-1, at) when its end has not come yet.

    >>> length(bytes([0x80, 0x01]), 0), length(bytes([0x80]), 0)
    ((128, 2), (-1, 0))
    """
    value = 0
    for n, byte in enumerate(data[at : at + 4]):
        value |= (byte & 127) << 7 * n
        if byte < 128:
            return value, at + n + 1
    if len(data) - at >= 4:
        raise WireError("a length has more than four bytes")
    return -1, at


_SIZES: Final[Mapping[int, int]] = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
SERVER_KEEP_ALIVE: Final = 0x13
REASON_STRING: Final = 0x1F
RECEIVE_MAXIMUM: Final = 0x21


def properties(data: bytes, at: int) -> tuple[dict[int, int | str], int]:
    """The numbers and texts among the properties (2.2.2) at a place, and where they end."""
    try:
        return _properties(data, at)
    except (IndexError, struct.error) as problem:
        raise WireError("the properties of a packet end too early") from problem


def _properties(data: bytes, at: int) -> tuple[dict[int, int | str], int]:
    size, at = length(data, at)
    if size < 0:
        raise WireError("the properties of a packet have no length")
    found: dict[int, int | str] = {}
    stop = at + size
    while at < stop:
        name, at = data[at], at + 1
        if name in _SIZES:
            found[name], at = int.from_bytes(data[at : at + _SIZES[name]]), at + _SIZES[name]
        elif name == 0x0B:
            found[name], at = length(data, at)
        else:
            for _ in range(2 if name == 0x26 else 1):
                (size,) = struct.unpack_from(">H", data, at)
                found[name], at = data[at + 2 : at + 2 + size].decode(errors="replace"), at + 2 + size
    return found, stop


def _text(text: str) -> bytes:
    return _binary(text.encode())


def _binary(data: bytes) -> bytes:
    if len(data) > 65_535:
        raise WireError(f"{len(data)} bytes are too many for a name, a password or a last will: 65,535 fit")
    return struct.pack(">H", len(data)) + data
