"""The live socket: all values in order to every page, and nobody waits for a page that does not read."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import websockets
from live_pages import TAGS, drain, frame, many, numbers, page, rows, stalled_page, texts, values
from running_server import COUNT, POWER, STATE, TEMPERATURE, Running, S, running, until
from shopfloor.plant import Kind, Sample
from websockets.asyncio.client import connect


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as running_server:
        yield running_server


async def test_the_first_frame_carries_the_latest_values(server: Running) -> None:
    now = time.time_ns() // S * S
    await asyncio.to_thread(server.feed, Sample(POWER, now, 4.5))
    await asyncio.to_thread(server.feed, Sample(STATE, now, "EXECUTE"))
    async with page(server, TAGS) as socket:
        number = await numbers(socket)
        assert list(number) == TAGS
        first = await frame(socket)
        assert rows(first) == [(number[POWER], now / 1e6, 4.5)]
        assert texts(first) == [[number[STATE], now / 1e6, "EXECUTE", 0]]
        assert len(first["parts"][0]["q"]) == 4


async def test_every_value_comes_in_order_of_time(server: Running) -> None:
    now = time.time_ns()
    async with page(server, TAGS) as one, page(server, TAGS) as two, page(server, [COUNT]) as three:
        number = await numbers(one)
        for socket in (two, three):
            await numbers(socket)
        for start in range(0, 100, 10):
            samples = [Sample(POWER, now + (start + i) * 1_000_000, float(start + i)) for i in range(10)]
            await asyncio.to_thread(server.feed, *samples)
        await asyncio.to_thread(server.feed, Sample(COUNT, now, 7))
        for socket in (one, two):
            got: list[tuple[int, float, float]] = []
            while len(got) < 101:
                got += rows(await frame(socket))
            assert [value for index, _, value in got if index == number[POWER]] == [float(i) for i in range(100)]
        assert [(i, v) for i, _, v in rows(await frame(three))] == [(number[COUNT], 7.0)]


async def test_a_new_subscription_replaces_the_old(server: Running) -> None:
    now = time.time_ns()
    async with page(server, [POWER]) as socket:
        await frame(socket, "hello")
        await socket.send(json.dumps({"subscribe": {"tags": [COUNT], "topics": []}}))
        number = await numbers(socket)
        await asyncio.to_thread(server.feed, Sample(POWER, now, 1.0))
        await asyncio.to_thread(server.feed, Sample(COUNT, now, 5))
        assert [(i, v) for i, _, v in rows(await frame(socket))] == [(number[COUNT], 5.0)]


async def test_a_page_that_comes_back_gets_what_it_missed_once(server: Running) -> None:
    now = time.time_ns()

    async def feed(*numbers: int) -> None:
        samples = [Sample(POWER, now + i * 1_000_000, float(i)) for i in numbers]
        await asyncio.to_thread(server.feed, *samples)

    async with page(server, TAGS, ("alarms",)) as socket:
        hello = await frame(socket, "hello")
        alarms = await frame(socket, "alarms")
        await feed(1, 2)
        last = await frame(socket)
    await feed(3, 4)
    where = {"boot": hello["boot"], "seq": last["seq"], "states": {"alarms": alarms["seq"]}}
    async with page(server, TAGS, ("alarms", "health"), resume=where) as socket:
        assert (await frame(socket, "hello"))["resumed"] is True
        kinds, got = set[str](), list[float]()
        while "health" not in kinds or not got:
            said = msgspec.msgpack.decode(await socket.recv())
            kinds.add(said["k"])
            got += values(said) if said["k"] == "values" else []
        assert got == [3.0, 4.0]
        assert "alarms" not in kinds
    async with page(server, TAGS, resume=where | {"boot": "another"}) as socket:
        assert (await frame(socket, "hello"))["resumed"] is False
        assert values(await frame(socket)) == [4.0]


async def test_after_a_restart_a_page_learns_that_it_must_ask_the_history(tmp_path: Path) -> None:
    now, where = time.time_ns(), dict[str, Any]()
    for run in (1, 2):
        with running(tmp_path) as server:
            server.sequence = run
            await asyncio.to_thread(server.feed, Sample(POWER, now + run, float(run)))
            async with page(server, [POWER], resume=where or None) as socket:
                hello = await frame(socket, "hello")
                assert hello["resumed"] is False
                assert values(await frame(socket)) == [float(run)]
                where = {"boot": hello["boot"], "seq": hello["seq"]}


async def test_sets_of_tags_that_overlap_are_encoded_once(server: Running) -> None:
    now = time.time_ns()
    async with page(server, [POWER, COUNT]) as one, page(server, [POWER, TEMPERATURE]) as two:
        await frame(one, "hello")
        await frame(two, "hello")
        await asyncio.to_thread(
            server.feed,
            Sample(POWER, now, 1.0),
            Sample(COUNT, now, 2.0),
            Sample(TEMPERATURE, now, 3.0),
            kind=Kind.FLOAT,
        )
        parts = [(await frame(socket))["parts"] for socket in (one, two)]
        assert [len(of) for of in parts] == [2, 2]
        shared = [part for part in parts[0] if part in parts[1]]
        assert [np.frombuffer(part["v"]).tolist() for part in shared] == [[1.0]]


async def test_a_page_of_level_one_hears_once_a_second(server: Running) -> None:
    now, heard = time.time_ns(), {1: 0, 10: 0}
    async with page(server, [POWER], hz=1) as slow, page(server, [POWER], hz=10) as quick:
        for step in range(30):
            await asyncio.to_thread(server.feed, Sample(POWER, now + step, float(step)))
            await asyncio.sleep(0.05)
        for hz, socket in ((1, slow), (10, quick)):
            got: list[float] = []
            while len(got) < 30:
                got += values(await frame(socket))
                heard[hz] += 1
            assert got == [float(step) for step in range(30)]
    assert heard[1] < heard[10]


async def test_a_quiet_server_says_that_it_lives(server: Running) -> None:
    async with page(server, [POWER]) as socket:
        beat = await frame(socket, "beat")
        assert beat["time"] > 0
        assert beat["seq"] == 0


async def test_a_page_that_never_answers_is_cut_off(tmp_path: Path) -> None:
    with running(tmp_path, ws_ping_interval=0.2, ws_ping_timeout=0.2) as server, ExitStack() as sockets:
        sockets.enter_context(await asyncio.to_thread(stalled_page, server))
        server.send(many(POWER, time.time_ns(), 30_000))
        live = server.parts.live
        await asyncio.to_thread(until, lambda: live.clients == 1)
        await asyncio.to_thread(until, lambda: live.clients == 0)


async def test_an_import_of_history_is_not_live(server: Running) -> None:
    old, now = time.time_ns() - 3 * 86_400 * S, time.time_ns()
    async with page(server, [POWER]) as socket:
        await frame(socket, "hello")
        await asyncio.to_thread(server.send, many(POWER, old, 20_000))
        await asyncio.to_thread(server.feed, Sample(POWER, now, 1.0))
        assert [value for _, _, value in rows(await frame(socket))] == [1.0]


async def test_pages_that_do_not_read_slow_nobody(server: Running) -> None:
    """Three pages never read while 8 MB pass; the one that reads gets every value, and they get a gap."""
    with ExitStack() as sockets:
        stalled = [sockets.enter_context(await asyncio.to_thread(stalled_page, server)) for _ in range(3)]
        await _reads_on(server)
        assert await asyncio.to_thread(drain, stalled[0], "gap")


async def _reads_on(server: Running, steps: int = 40) -> None:
    async with page(server, [POWER]) as reader:
        await frame(reader, "hello")
        now, got, slowest = time.time_ns(), 0, 0.0
        for step in range(steps):
            began = time.monotonic()
            await asyncio.to_thread(server.send, many(POWER, now + step * 5_000 * 1_000, 5_000))
            while got < (step + 1) * 5_000:
                got += len(rows(await frame(reader)))
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 3


async def test_a_message_that_is_none_closes_with_a_sentence(server: Running) -> None:
    for text in ("nonsense", '{"subscribe": {"topics": ["weather"]}}', '{"subscribe": {"hz": 7}}'):
        async with connect(server.ws, proxy=None) as socket:
            await socket.send(text)
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                await frame(socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1007
            assert closed.value.rcvd.reason


async def test_a_page_of_another_site_gets_no_socket_and_the_log_no_error(
    server: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(server.ws, proxy=None, origin="https://evil.example")
    assert refused.value.response.status_code == 403
    assert await asyncio.to_thread(server.get, "/health")
    assert not [line for line in caplog.messages if "handshake" in line]


def test_the_server_stops_though_pages_read_nothing(tmp_path: Path) -> None:
    """It would wait ten minutes for them; whoever stops it here gives up long before."""
    with ExitStack() as sockets, running(tmp_path, timeout_graceful_shutdown=600, buffer=4096) as server:
        for _ in range(3):
            sockets.enter_context(stalled_page(server))
        asyncio.run(_reads_on(server, 4))
