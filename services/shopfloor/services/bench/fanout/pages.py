"""Many open pages in one process, each a WebSocket of its own that reads everything, or nothing."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Final, cast

import msgspec
import numpy as np
import uvloop
from shopfloor.services.bench.tell import plan, say

_SHAKE: Final = (
    "GET /api/v1/live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_BINARY: Final = 0x82
_PING: Final = 0x89


class Head(msgspec.Struct):
    """What is read of a frame."""

    k: str
    time: float = 0.0


class Page(asyncio.Protocol):
    """A page: subscribes, notes how late each frame of values is by the server's clock; a stalled one never reads."""

    def __init__(self, host: str, wish: dict[str, Any], late: list[float], *, stalled: bool) -> None:
        self._host, self._wish, self._late, self._stalled = host, wish, late, stalled
        self._data, self._open = bytearray(), False
        self._decode = msgspec.msgpack.Decoder(Head).decode

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the socket."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(_SHAKE.format(host=self._host).encode())

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self._data += data
        if not self._open:
            self._opened()
        while self._open and self._frame():
            pass

    def _opened(self) -> None:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        del self._data[: end + 4]
        self._open = True
        self._transport.write(_masked(0x81, json.dumps({"subscribe": self._wish}).encode()))
        if self._stalled:
            self._transport.pause_reading()

    def _frame(self) -> bool:
        """Take one frame off; whether there was a whole one."""
        data = self._data
        if len(data) < 2:
            return False
        size, head = data[1], 2
        if size >= 126:
            head = 4 if size == 126 else 10
            size = int.from_bytes(data[2:head], "big")
        if len(data) < head + size or (len(data) < head):
            return False
        body = bytes(data[head : head + size])
        kind = data[0]
        del data[: head + size]
        if kind == _PING:
            self._transport.write(_masked(0x8A, body))
        elif kind == _BINARY and (said := self._decode(body)).k == "values":
            self._late.append(time.time() * 1e3 - said.time)
        return True


def _masked(kind: int, body: bytes) -> bytes:
    size = len(body)
    head = bytes([kind, 0x80 | size]) if size < 126 else bytes([kind, 0xFE, *size.to_bytes(2, "big")])
    return head + bytes(4) + body


async def _run(asked: dict[str, Any]) -> None:
    late: list[float] = []
    loop, host = asyncio.get_running_loop(), f"127.0.0.1:{asked['port']}"
    wish = {"tags": asked["tags"], "topics": []}
    for number in range(asked["pages"] + asked["stalled"]):
        stalled = number >= asked["pages"]
        await loop.create_connection(
            lambda stalled=stalled: Page(host, wish, late, stalled=stalled),  # type: ignore[misc]
            "127.0.0.1", asked["port"],
        )  # fmt: skip
        await asyncio.sleep(0.002)
    say("ready", {})
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while (word := (await lines.readline()).strip()) not in {b"stop", b""}:
        if word == b"start":
            late.clear()
    told = np.array(late or [np.nan])
    p50, p99 = (round(float(np.percentile(told, at)), 1) for at in (50, 99))
    say("result", {"frames": len(late), "p50_ms": p50, "p99_ms": p99})


if __name__ == "__main__":
    uvloop.run(_run(plan()))
