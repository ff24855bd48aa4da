"""The live socket: all values in order to every page, and nobody waits for a page that does not read."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import websockets
from running_server import CNC, COUNT, POWER, STATE, Running, S, running, until
from shopfloor.plant import Batch, Sample
from websockets.asyncio.client import ClientConnection, connect

TAGS = [POWER, STATE, COUNT]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as running_server:
        yield running_server


@asynccontextmanager
async def page(server: Running, tags: list[str], topics: tuple[str, ...] = ()) -> AsyncIterator[ClientConnection]:
    async with connect(server.ws, proxy=None, max_size=None) as socket:
        await socket.send(json.dumps({"subscribe": {"tags": tags, "topics": topics}}))
        yield socket


async def frame(socket: ClientConnection, kind: str = "values", seconds: float = 5) -> dict[str, Any]:
    """The next frame of a kind."""
    async with asyncio.timeout(seconds):
        while True:
            said = msgspec.msgpack.decode(await socket.recv())
            if said["k"] == kind:
                return dict(said)


def rows(said: dict[str, Any]) -> list[tuple[int, float, float]]:
    index, times, value = (np.frombuffer(said[k], t) for k, t in (("i", "<i4"), ("t", "<f8"), ("v", "<f8")))
    return list(zip(index.tolist(), times.tolist(), value.tolist(), strict=True))


async def test_the_first_frame_carries_the_latest_values(server: Running) -> None:
    now = time.time_ns() // S * S
    await asyncio.to_thread(server.feed, Sample(POWER, now, 4.5))
    await asyncio.to_thread(server.feed, Sample(STATE, now, "EXECUTE"))
    async with page(server, TAGS) as socket:
        assert (await frame(socket, "hello"))["tags"] == TAGS
        first = await frame(socket)
        assert rows(first) == [(0, now / 1e6, 4.5)]
        assert first["x"] == [[1, now / 1e6, "EXECUTE", 0]]
        assert len(first["q"]) == 4


async def test_every_value_comes_in_order_of_time(server: Running) -> None:
    now = time.time_ns()
    async with page(server, TAGS) as one, page(server, TAGS) as two, page(server, [COUNT]) as three:
        for socket in (one, two, three):
            await frame(socket)
        for start in range(0, 100, 10):
            samples = [Sample(POWER, now + (start + i) * 1_000_000, float(start + i)) for i in range(10)]
            await asyncio.to_thread(server.feed, *samples)
        await asyncio.to_thread(server.feed, Sample(COUNT, now, 7))
        for socket in (one, two):
            got: list[tuple[int, float, float]] = []
            while len(got) < 101:
                got += rows(await frame(socket))
            assert [value for index, _, value in got if index == 0] == [float(i) for i in range(100)]
        assert [(i, v) for i, _, v in rows(await frame(three))] == [(0, 7.0)]


async def test_a_new_subscription_replaces_the_old(server: Running) -> None:
    now = time.time_ns()
    async with page(server, [POWER]) as socket:
        await frame(socket)
        await socket.send(json.dumps({"subscribe": {"tags": [COUNT], "topics": []}}))
        assert (await frame(socket, "hello"))["tags"] == [COUNT]
        await frame(socket)
        await asyncio.to_thread(server.feed, Sample(POWER, now, 1.0))
        await asyncio.to_thread(server.feed, Sample(COUNT, now, 5))
        assert [(i, v) for i, _, v in rows(await frame(socket))] == [(0, 5.0)]


async def test_topics_come_at_once_and_when_they_change(server: Running) -> None:
    async with page(server, [], ("alarms", "predictions", "health")) as socket:
        assert (await frame(socket, "alarms"))["items"] == []
        assert (await frame(socket, "health"))["value"]["store"]["state"] == "ok"
        await asyncio.to_thread(server.feed, Sample(POWER, time.time_ns(), 16.0))
        (alarm,) = (await frame(socket, "alarms"))["items"]
        assert alarm["sentence"] == "Spindle power of CNC 01 is 16 kW, above its limit of 15 kW."
        server.brain.said.append({"asset": CNC, "target": "dimension", "status": "ok"})
        assert len((await frame(socket, "predictions"))["items"]) == 1


async def test_an_import_of_history_is_not_live(server: Running) -> None:
    old, now = time.time_ns() - 3 * 86_400 * S, time.time_ns()
    async with page(server, [POWER]) as socket:
        await frame(socket)
        await asyncio.to_thread(server.send, many(POWER, old, 20_000))
        await asyncio.to_thread(server.feed, Sample(POWER, now, 1.0))
        assert [value for _, _, value in rows(await frame(socket))] == [1.0]


async def test_pages_that_do_not_read_slow_nobody(server: Running) -> None:
    """Three pages never read while 8 MB pass; the one that reads gets every value, and they get a gap."""
    with ExitStack() as sockets:
        stalled = [sockets.enter_context(await asyncio.to_thread(stalled_page, server)) for _ in range(3)]
        await _reads_on(server)
        assert "gap" in await asyncio.to_thread(drain, stalled[0])


async def _reads_on(server: Running) -> None:
    async with page(server, [POWER]) as reader:
        await frame(reader)
        now, got, slowest = time.time_ns(), 0, 0.0
        for step in range(40):
            began = time.monotonic()
            await asyncio.to_thread(server.send, many(POWER, now + step * 5_000 * 1_000, 5_000))
            while got < (step + 1) * 5_000:
                got += len(rows(await frame(reader)))
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 3


async def test_a_message_that_is_none_closes_with_a_sentence(server: Running) -> None:
    for text in ("nonsense", '{"subscribe": {"topics": ["weather"]}}', '{"subscribe": 7}'):
        async with connect(server.ws, proxy=None) as socket:
            await socket.send(text)
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                await frame(socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1007
            assert closed.value.rcvd.reason


async def test_a_page_of_another_site_gets_no_socket(server: Running) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(server.ws, proxy=None, origin="https://evil.example")
    assert refused.value.response.status_code == 403


def test_the_server_stops_within_three_seconds_with_open_pages(tmp_path: Path) -> None:
    with ExitStack() as sockets:
        with running(tmp_path) as server:
            for _ in range(3):
                sockets.enter_context(stalled_page(server))
            server.send(many(POWER, time.time_ns(), 150_000))
            until(lambda: not server.parts.live.waiting)
            began = time.monotonic()
        assert time.monotonic() - began < 3


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


def drain(page: socket.socket) -> set[str]:
    """Read everything that waits; the kinds of frames."""
    page.settimeout(1.5)
    data = b""
    try:
        while chunk := page.recv(1 << 20):
            data += chunk
    except TimeoutError:
        pass
    kinds = set()
    while len(data) > 2:
        size, head = data[1] & 127, 2
        if size == 126:
            size, head = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(data[2:10], "big"), 10
        if data[0] == 0x82 and len(data) >= head + size:
            kinds.add(msgspec.msgpack.decode(data[head : head + size])["k"])
        data = data[head + size :]
    return kinds
