"""Open pages without a browser: sockets that subscribe and read, or never read."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import numpy as np
from running_server import COUNT, POWER, STATE, Running
from shopfloor.plant import Batch
from websockets.asyncio.client import ClientConnection, connect

TAGS = [POWER, STATE, COUNT]


@asynccontextmanager
async def page(
    server: Running, tags: list[str], topics: tuple[str, ...] = (), **wish: Any
) -> AsyncIterator[ClientConnection]:
    async with connect(server.ws, proxy=None, max_size=None) as socket:
        await socket.send(json.dumps({"subscribe": {"tags": tags, "topics": topics, **wish}}))
        yield socket


async def frame(socket: ClientConnection, kind: str = "values", seconds: float = 5) -> dict[str, Any]:
    """The next frame of a kind."""
    async with asyncio.timeout(seconds):
        while True:
            said = msgspec.msgpack.decode(await socket.recv())
            if said["k"] == kind:
                return dict(said)


def rows(said: dict[str, Any]) -> list[tuple[int, float, float]]:
    """Numbers of a frame: tag number, time, value."""
    found: list[tuple[int, float, float]] = []
    for part in said["parts"]:
        columns = (np.frombuffer(part.get(k, b""), t) for k, t in (("i", "<i4"), ("t", "<f8"), ("v", "<f8")))
        found += zip(*(column.tolist() for column in columns), strict=True)
    return found


def texts(said: dict[str, Any]) -> list[Any]:
    return [text for part in said["parts"] for text in part.get("x", [])]


def values(said: dict[str, Any]) -> list[float]:
    return [value for _, _, value in rows(said)]


async def numbers(socket: ClientConnection) -> dict[str, int]:
    """The number of each tag, as the hello tells."""
    hello = await frame(socket, "hello")
    return dict(zip(hello["tags"], np.frombuffer(hello["i"], "<i4").tolist(), strict=True))


def many(tag: str, start: int, n: int) -> Batch:
    return Batch((tag,), np.zeros(n, np.int32), start + np.arange(n) * 1_000, np.arange(n) * 1.0,
                 np.zeros(n, np.uint32))  # fmt: skip


def stalled_page(server: Running) -> socket.socket:
    """A page that subscribes and never reads, with a small receive buffer."""
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = server.url.removeprefix("http://").split(":")
    page.connect((host, int(port)))
    page.sendall(
        f"GET /api/v1/live HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    while b"\r\n\r\n" not in page.recv(4096):
        pass
    text = json.dumps({"subscribe": {"tags": [POWER]}}).encode()
    head = bytes([0x81, 0x80 | len(text)]) if len(text) < 126 else bytes([0x81, 0xFE, *len(text).to_bytes(2, "big")])
    page.sendall(head + bytes(4) + text)
    return page


def drain(page: socket.socket, wanted: str) -> bool:
    """Read what waits, until a frame of the wanted kind; whether one came."""
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    page.settimeout(5)
    data = b""
    while chunk := page.recv(1 << 20):
        data += chunk
        while len(data) > 10:
            size, head = data[1] & 127, 2
            if size == 126:
                size, head = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(data[2:10], "big"), 10
            if len(data) < head + size:
                break
            if data[0] == 0x82 and msgspec.msgpack.decode(data[head : head + size])["k"] == wanted:
                return True
            data = data[head + size :]
    return False
