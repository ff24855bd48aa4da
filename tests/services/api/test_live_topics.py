"""Alarms, predictions and health on the live socket: at once, then only what changed, of what the page sees."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from live_pages import frame, page
from running_server import CNC, POWER, Running, running
from shopfloor.plant import Sample


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as running_server:
        yield running_server


async def test_topics_come_at_once_and_when_they_change(server: Running) -> None:
    async with page(server, [], ("alarms", "predictions", "health")) as socket:
        assert (await frame(socket, "alarms"))["items"] == []
        assert (await frame(socket, "health"))["value"]["store"]["state"] == "ok"
        await asyncio.to_thread(server.feed, Sample(POWER, time.time_ns(), 16.0))
        (alarm,) = (await frame(socket, "alarms"))["items"]
        assert alarm["sentence"] == "Spindle power of CNC 01 is 16 kW, above its limit of 15 kW."


async def test_of_a_topic_only_what_changed_comes(server: Running) -> None:
    def said(target: str, value: float, asset: str = CNC) -> dict[str, Any]:
        return {"asset": asset, "target": target, "value": value, "status": "ok"}

    other = CNC.replace("cnc-01", "cnc-02")
    server.brain.said[:] = [said("wear", 1.0), said("dimension", 2.0), said("wear", 3.0, other)]
    async with (
        page(server, [], ("predictions",)) as all_of_it,
        page(server, [], ("predictions",), assets=[other]) as one,
    ):
        whole, mine = await frame(all_of_it, "predictions"), await frame(one, "predictions")
        assert (whole["whole"], len(whole["items"]), whole["gone"]) == (True, 3, [])
        assert mine["items"] == [said("wear", 3.0, other)]
        server.brain.said[:] = [said("wear", 1.5), said("wear", 3.0, other)]
        delta = await frame(all_of_it, "predictions")
        assert (delta["whole"], delta["items"], delta["gone"]) == (False, [said("wear", 1.5)], [[CNC, "dimension"]])
        server.brain.said[:] = [said("wear", 4.0, other)]
        assert (await frame(one, "predictions"))["items"] == [said("wear", 4.0, other)]


async def test_predictions_of_five_thousand_assets_are_many_frames(server: Running) -> None:
    wear = {"target": "wear", "text": "x" * 100, "status": "ok"}
    server.brain.said[:] = [{"asset": f"{CNC}-{i}", **wear} for i in range(5_000)]
    async with page(server, [], ("predictions",)) as socket:
        got, sizes, more = [], [], True
        while more:
            data = await socket.recv()
            said = msgspec.msgpack.decode(data)
            if said["k"] == "predictions":
                got += said["items"]
                sizes.append(len(data))
                more = said["more"]
        assert got == server.brain.said
        assert len(sizes) > 1
        assert max(sizes) <= 256 * 1024
