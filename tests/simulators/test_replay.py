"""A recording served as a live device: every row arrives, with its distance in time, and holes stay holes."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from asyncua import Client, ua
from brokers import free_port, mosquitto
from paho.mqtt.enums import CallbackAPIVersion
from shopfloor.plant import quality
from shopfloor.simulators.recording import read
from sim_processes import Start, until

MILL = Path(os.environ.get("SHOPFLOOR_DATA", Path(__file__).parents[3] / "shared" / "data")) / "cnc_mill"


class Everything:
    """Every notification of every variable, with its time and quality."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[float, Any, int]]] = defaultdict(list)

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        found = data.monitored_item.Value
        if found.StatusCode.value == quality.BAD_WAITING_FOR_INITIAL_DATA:
            return
        name = str(node.nodeid.Identifier).partition(".")[2]
        self.rows[name].append((found.SourceTimestamp.timestamp(), value, found.StatusCode.value))


async def collect(url: str, root: str, rows: int, columns: int) -> dict[str, list[tuple[float, Any, int]]]:
    """Watch every variable below the root until each has `rows` values."""
    heard = Everything()
    async with Client(url) as client:
        folder = await client.nodes.objects.get_child([f"2:{name}" for name in root.split("/")])
        nodes = await folder.get_children()
        assert len(nodes) == columns
        subscription = await client.create_subscription(100, heard)
        wanted = ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp)
        await subscription._subscribe(nodes, queuesize=1000, mfilter=wanted)
        async with asyncio.timeout(30):
            while min(len(heard.rows[node.nodeid.Identifier.partition(".")[2]]) for node in nodes) < rows:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return heard.rows


async def test_every_row_arrives_over_opc_ua(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "press.csv"
    path.write_text("force,count,phase\n" + "".join(f"{k / 4},{k},p{k % 3}\n" for k in range(50)) + ",,\n")
    device = await asyncio.to_thread(start, "replay", path, "--port", free_port(), "--period", "20ms", "--wait")
    rows = await collect(device.ready["opcua"], device.ready["root"], 51, 3)
    assert [value for _, value, _ in rows["force"]] == [k / 4 for k in range(50)] + [None]
    assert [value for _, value, _ in rows["count"]] == [*range(50), None]
    assert [value for _, value, _ in rows["phase"]] == [f"p{k % 3}" for k in range(50)] + [None]
    assert [status for _, _, status in rows["force"]] == [0] * 50 + [quality.BAD]
    moments = [moment for moment, _, _ in rows["force"]]
    assert [b - a for a, b in itertools.pairwise(moments)] == pytest.approx([0.02] * 50, abs=1e-5)
    assert abs(moments[-1] - time.time()) < 60
    assert device.line() == {"rows": 51}
    device.stop()


@pytest.mark.skipif(not MILL.exists(), reason="the recordings of the real mill are not here (SHOPFLOOR_DATA)")
async def test_the_real_mill_runs_at_twenty_times_its_speed(start: Start) -> None:
    path = MILL / "experiment_05.csv"
    recording = read(path)
    words = (path, "--port", free_port(), "--speed", "20", "--asset", "delta/mill/wax/cell-1/mill-05", "--wait")
    device = await asyncio.to_thread(start, "replay", *words)
    assert (device.ready["rows"], device.ready["tags"]) == (462, 49)
    assert device.ready["time"] == "one row every 0.1 s"
    rows = await collect(device.ready["opcua"], device.ready["root"], 462, 49)
    for column in recording.columns:
        assert [value for _, value, _ in rows[column.name]] == column.cells, column.name
    assert "X_ActualPosition" in rows


def test_every_row_arrives_over_mqtt(tmp_path: Path, start: Start) -> None:
    path = tmp_path / "press.csv"
    path.write_text("t,force,phase\n" + "".join(f"{k * 0.02:.2f},{k / 4},p{k % 3}\n" for k in range(50)) + "1.0,,end\n")
    heard: list[tuple[str, dict[str, Any]]] = []
    with mosquitto(tmp_path) as url:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _c, _d, message: heard.append((message.topic, json.loads(message.payload)))
        client.on_connect = lambda c, *_: c.subscribe("factory/delta/hall/#", 1)
        ready: list[int] = []
        client.on_subscribe = lambda *_: ready.append(1)
        client.connect("127.0.0.1", int(url.rpartition(":")[2]))
        client.loop_start()
        until("subscribed", lambda: ready)
        try:
            device = start(
                "replay",
                path,
                "--as",
                "mqtt",
                "--mqtt",
                url,
                "--asset",
                "delta/a/hall/c/press",
                "--speed",
                "2",
                "--wait",
            )
            until("the last row", lambda: len(heard) >= 52)
            device.stop()
        finally:
            client.disconnect()
            client.loop_stop()
    objects = [body for topic, body in heard if topic == "factory/delta/hall/press"]
    assert [body["values"].get("force") for body in objects] == [k / 4 for k in range(50)] + [None]
    assert objects[-1]["values"] == {"phase": "end"}
    assert (objects[-1]["t"] - objects[0]["t"]) == pytest.approx(500, abs=0.01)
    hole = dict(heard)["factory/delta/hall/press/force"]
    assert (hole["v"], hole["q"]) == (None, quality.BAD)


def test_a_recording_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    from shopfloor.simulators import replay

    parser = argparse.ArgumentParser()
    replay.add_arguments(parser)
    assert replay.run(parser.parse_args([str(tmp_path / "no.csv")])) == 2
    assert capsys.readouterr().err == (
        f"shopfloor replay: {tmp_path}/no.csv does not exist: name a .csv or .parquet file.\n"
    )
    assert replay.run(parser.parse_args([str(tmp_path / "no.csv"), "--asset", "mill"])) == 2
    assert "an asset path is site/area/line/cell/asset" in capsys.readouterr().err
