"""`shopfloor simulate` as a process: alive in real time, resumed after kill -9, obedient to setpoints."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
from asyncua import Client, ua
from brokers import free_port, mosquitto
from paho.mqtt.enums import CallbackAPIVersion
from shopfloor.simulators import lines
from shopfloor.simulators.checkpoint import Checkpoint
from shopfloor.simulators.engine import Simulation
from sim_processes import Running, Start, until

POWER = "ns=2;s=CNC-01.Monitoring.Spindle.Power"
SPEED = "ns=2;s=CNC-01.Setpoints.Speed"


def machining(start: Start, state: Path, *more: object) -> Running:
    return start("main", "machining", "--machines", "2", "--opcua-port", free_port(), "--state", state, *more)


def post(url: str, body: object) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{url}/lab/faults", json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


class Times:
    """Source times of every notification, by node."""

    def __init__(self) -> None:
        self.of: dict[str, list[float]] = defaultdict(list)
        self.quality: dict[str, int] = {}

    def datachange_notification(self, node: Any, _value: Any, data: Any) -> None:
        found = data.monitored_item.Value
        self.quality[str(node)] = found.StatusCode.value
        if found.SourceTimestamp is not None:
            self.of[str(node)].append(found.SourceTimestamp.timestamp())


async def test_a_machine_lives_obeys_breaks_and_ends(tmp_path: Path, start: Start) -> None:
    line = await asyncio.to_thread(machining, start, tmp_path, "--lab-port", "0")
    heard = Times()
    async with Client(line.ready["opcua"]) as client:
        subscription = await client.create_subscription(100, heard)
        every = ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp)
        await subscription._subscribe([client.get_node(POWER)], queuesize=50, mfilter=every)
        async with asyncio.timeout(20):
            while len(heard.of[POWER]) < 25:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        moments = heard.of[POWER][2:]
        steps = {round(b - a, 3) for a, b in itertools.pairwise(moments)}
        assert steps == {0.1}
        assert abs(moments[-1] - time.time()) < 30

        await client.get_node(SPEED).write_value(160.0)
        assert await client.get_node(SPEED).read_value() == 160.0

        status, answer = await asyncio.to_thread(
            post, line.ready["lab"], {"asset": "cnc-01", "fault": "sensor.lost", "tag": "spindle.power"}
        )
        assert (status, answer["injected"][0]["fault"]) == (200, "sensor.lost")
        async with asyncio.timeout(20):
            while heard.quality[POWER] != 0x808C0000:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        refused = await asyncio.to_thread(post, line.ready["lab"], {"asset": "cnc-99", "fault": "bearing"})
        assert refused[0] == 422
        assert "There is no asset 'cnc-99'" in refused[1]["detail"]
    await asyncio.to_thread(line.stop)
    kept = Checkpoint.load(tmp_path / "machining.checkpoint")
    assert kept.state.u[0][0] == 160.0
    assert [each.fault for each in kept.injections] == ["sensor.lost"]
    assert [label["fault"] for label in json.loads((tmp_path / "truth" / "faults.json").read_text())] == ["sensor.lost"]


async def parts(url: str) -> list[int]:
    """Part counts of both machines, as soon as they have some."""
    async with Client(url) as client, asyncio.timeout(20):
        nodes = [client.get_node(f"ns=2;s=CNC-0{n}.Production.PartCount") for n in (1, 2)]
        while None in (counts := await client.read_values(nodes)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return list(counts)


def test_after_kill_9_it_goes_on_from_its_checkpoint(tmp_path: Path, start: Start) -> None:
    first = machining(start, tmp_path)
    before = asyncio.run(parts(first.ready["opcua"]))
    kept = Checkpoint.load(tmp_path / "machining.checkpoint")
    first.kill()
    again = machining(start, tmp_path)
    after = asyncio.run(parts(again.ready["opcua"]))
    assert all(b <= a <= b + 1 for a, b in zip(after, before, strict=True))
    again.stop()
    now = Checkpoint.load(tmp_path / "machining.checkpoint")
    assert now.n > kept.n
    assert abs(now.n - time.time()) < 60


def test_a_past_is_lived_through_and_written(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "recordings"
    line = machining(start, tmp_path / "state", "--history", "2h", "--recordings", folder)
    until("the history", lambda: json.loads((folder / "manifest.json").read_text())["complete"], 60)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["rows_written"] > 1000
    assert manifest["end"] - manifest["start"] == 7200 * 10**9
    line.stop()


def test_a_second_simulator_on_the_same_state_is_refused(tmp_path: Path, start: Start) -> None:
    import argparse

    from shopfloor.simulators import main

    machining(start, tmp_path)
    parser = argparse.ArgumentParser()
    main.add_arguments(parser)
    assert main.run(parser.parse_args(["machining", "--state", str(tmp_path)])) == 2


def test_a_pot_obeys_over_mqtt(tmp_path: Path, start: Start) -> None:
    last: dict[str, Any] = {}
    volts: list[float] = []

    def take(_client: Any, _data: Any, message: Any) -> None:
        if not message.topic.startswith("factory/delta/potline"):
            return
        last[message.topic] = json.loads(message.payload)
        if message.topic == "factory/delta/potline/pot-01":
            volts.append(last[message.topic]["values"].get("voltage"))

    with mosquitto(tmp_path) as url:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = take
        client.on_connect = lambda c, *_: c.subscribe(
            [("factory/delta/potline/+", 1), ("factory/delta/potline/+/+", 1)]
        )
        client.connect("127.0.0.1", int(url.rpartition(":")[2]))
        client.loop_start()
        try:
            pots = start("main", "potline", "--machines", "2", "--mqtt", url, "--state", tmp_path)
            place = "factory/delta/potline/pot-01"
            until("setpoints", lambda: f"{place}/setpoint.voltage" in last)
            until("fast values", lambda: len(volts) > 5)
            assert set(last[place]["values"]) <= {
                "voltage", "current", "resistance", "noise", "duct.temperature", "feed.rate",
            }  # fmt: skip
            client.publish(f"{place}/setpoint.voltage/set", b'{"v": 99}', 1)
            client.publish(f"{place}/setpoint.voltage/set", b"no json", 1)
            client.publish(f"{place}/setpoint.voltage/set", b'{"v": 4.4}', 1)
            until("the setpoint", lambda: last[f"{place}/setpoint.voltage"]["v"] == 4.4)
            pots.stop()
        finally:
            client.disconnect()
            client.loop_stop()
    before, after = _an_hour_on(Checkpoint.load(tmp_path / "potline.checkpoint"))
    assert before < 4.33 < after, "the regulator of a pot acts every few minutes"


def _an_hour_on(saved: Checkpoint) -> tuple[float, float]:
    """The mean voltage of the first pot in the next minute, and an hour later."""
    line = lines.load("potline")
    simulation = Simulation.resume(line, saved)
    fast = line.fast.index(line.tag_index("voltage"))
    minutes = [np.mean([simulation.step().fast[0, fast] for _ in range(60)]) for _ in range(60)]
    return float(minutes[0]), float(minutes[-1])
