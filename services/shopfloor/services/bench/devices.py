"""The load over MQTT: many simulated devices, each with a connection of its own, that publish JSON on a grid.

The packets are made by hand (MQTT 3.1.1, section 3), so that the devices cost less than any client that reads them.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Sequence
from typing import Any, Final

from shopfloor.services.bench.grid import Grid
from shopfloor.services.bench.tell import plan, say

_CONNACK: Final = b"\x20\x02\x00\x00"
_AT_ONCE: Final = 50


def connect(name: str) -> bytes:
    """CONNECT with a clean session and no keep-alive."""
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name.encode()
    return bytes([0x10, len(body)]) + body


def publish(topic: bytes, payload: bytes, qos: int, number: int) -> bytes:
    """PUBLISH; `number` is its packet identifier.

    >>> publish(b"a", b"1", 0, 0).hex()
    '300400016131'
    """
    body = struct.pack(">H", len(topic)) + topic + (struct.pack(">H", number) if qos else b"") + payload
    assert len(body) < 128  # noqa: S101 (one byte of length is enough for this load)
    return bytes([0x30 | qos << 1, len(body)]) + body


class Device(asyncio.Protocol):
    """One connection; what the broker answers is read and forgotten."""

    def __init__(self, number: int) -> None:
        self._topic, self._name = f"bench/t{number}".encode(), f"device-{number}"
        self._transport: asyncio.Transport | None = None
        self.accepted = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce the device."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        transport.write(connect(self._name))

    def data_received(self, data: bytes) -> None:
        """The first answer is the CONNACK, the others are PUBACKs."""
        if data.startswith(_CONNACK):
            self.accepted.set()

    def say(self, tick: int, payload: bytes, qos: int) -> None:
        """Publish one message."""
        assert self._transport is not None  # noqa: S101 (connected before)
        self._transport.write(publish(self._topic, payload, qos, tick % 65_535 + 1))


async def main(asked: dict[str, Any]) -> None:
    """Connect all devices, then publish until told to stop."""
    grid = Grid.now(asked["hz"])
    devices = await _devices(asked["items"], asked["port"])
    url = f"mqtt://127.0.0.1:{asked['port']}"
    say("ready", {"url": url, "port": asked["port"], "start": grid.start, "period": grid.period})
    tick = max(0, (time.time_ns() - grid.start) // grid.period)
    while True:
        due = grid.time(tick)
        await asyncio.sleep(max(0.0, (due - time.time_ns()) / 1e9))
        payload = b'{"value":%d,"time":%d}' % (tick, due // 1_000_000)
        for device in devices:
            device.say(tick, payload, asked["qos"])
        tick += 1


async def _devices(count: int, port: int) -> Sequence[Device]:
    devices = [Device(number) for number in range(count)]
    loop = asyncio.get_running_loop()
    for start in range(0, count, _AT_ONCE):
        some = devices[start : start + _AT_ONCE]
        for device in some:
            await loop.create_connection(lambda one=device: one, "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.wait_for(asyncio.gather(*(device.accepted.wait() for device in some)), 30)
    return devices


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(plan()))
