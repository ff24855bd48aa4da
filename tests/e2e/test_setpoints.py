"""A setpoint's whole way: server, gateway, simulated machine and back, with what each of them refuses."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client
from brokers import mosquitto
from plant_under_test import free_port, until
from running_server import Running, plant, running

pytestmark = [pytest.mark.e2e]
CNC = "delta/frames/machining/cell-a/cnc-01"
POT = "delta/smelter/potline/row-1/pot-01"
PLANT = """
plant: {{site: delta}}
types:
  machine-tool:
    tags:
      spindle.speed: {{}}
      setpoint.speed: {{unit: m/min, decimals: 0, writable: true, range: [100, 300]}}
      setpoint.feed: {{unit: mm/rev, writable: true, range: [0.1, 0.28]}}
  reduction-pot: {{tags: {{setpoint.voltage: {{unit: V, writable: true, range: [3, 6]}}}}}}
assets:
  - {{path: "{cnc}", type: machine-tool}}
  - {{path: "{pot}", type: reduction-pot}}
gateway: {{name: edge-1, server: "{server}"}}
sources:
  - name: machining
    kind: opcua
    url: {opcua}
    security: none
    publishing_interval: 100ms
    assets: {{Machines/CNC-01: "{cnc}"}}
    tags:
      Monitoring/Spindle/Speed: spindle.speed
      Setpoints/Speed: setpoint.speed
      Setpoints/Feed: setpoint.feed
    writes: {{allow: ["delta/frames/machining/*/*/setpoint.speed"], every: 0s}}
  - name: potline
    kind: mqtt
    url: {mqtt}
    topics:
      - {{topic: "factory/delta/potline/{{asset}}/{{tag}}", value: v, time: t, quality: q, tag: "delta/smelter/potline/*/{{asset}}/{{tag}}"}}
    writes:
      allow: ["delta/smelter/potline/*/*/setpoint.*"]
      every: 0s
      topic: "factory/{{site}}/{{line}}/{{asset}}/{{tag}}/set"
      payload: '{{"v": {{value}}}}'
      timeout: 2s
"""  # noqa: E501 (a plant file)


@contextmanager
def child(*words: object) -> Iterator[None]:
    """A command of the product, until it is told to stop."""
    command = [sys.executable, "-m", "shopfloor.services.cli", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            yield
        finally:
            process.terminate()
            process.wait(15)


def write(server: Running, tag: str, value: object, reason: str = "") -> dict[str, Any]:
    body = {"tag": tag, "value": value, "reason": reason}
    answer = server.client.post("/api/v1/gateways/edge-1/setpoints", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def audit(server: Running) -> dict[str, Any]:
    answer = server.client.post("/api/v1/gateways/edge-1/calls/audit", json={"n": 50}, timeout=30)
    return dict(json.loads(answer.text.splitlines()[0]))


async def held(url: str, node: str) -> float:
    async with Client(url) as client:
        return float(await client.get_node(node).read_value())


def test_a_setpoint_goes_to_the_machine_and_back(tmp_path: Path) -> None:
    port = free_port()
    opcua = f"opc.tcp://127.0.0.1:{port}/shopfloor/"
    with (
        mosquitto(tmp_path) as mqtt,
        child("simulate", "machining", "--machines", 1, "--opcua-port", port, "--state", tmp_path / "cell"),
        child("simulate", "potline", "--machines", 1, "--mqtt", mqtt, "--state", tmp_path / "pots"),
        running(tmp_path / "server", plant()) as server,
    ):
        file = tmp_path / "plant.yaml"
        file.write_text(PLANT.format(server=server.url, opcua=opcua, mqtt=mqtt, cnc=CNC, pot=POT))
        token = server.folder / "secrets" / "gateway.token"
        with child("gateway", "--config", file, "--data", tmp_path / "edge", "--token-file", token):
            until("both sources deliver", lambda: _both(server))
            speed, voltage = f"{CNC}/setpoint.speed", f"{POT}/setpoint.voltage"
            good = write(server, speed, 200, "less chatter")
            assert (good["status_name"], good["after"]) == ("Good", 200.0), good
            assert asyncio.run(held(opcua, "ns=2;s=CNC-01.Setpoints.Speed")) == 200.0
            limits = write(server, speed, 301)
            assert limits["status_name"] == "BadOutOfRange"
            assert limits["sentence"].endswith(
                "takes 100 to 300 m/min and was asked for 301: stay within these limits."
            )
            device = write(server, speed, 290)
            assert device["status_name"] == "BadOutOfRange"
            assert device["sentence"] == f"The server refuses {speed}: BadOutOfRange."
            assert device["before"] == 200.0
            assert write(server, f"{CNC}/setpoint.feed", 0.2)["status_name"] == "BadUserAccessDenied"
            pot = write(server, voltage, 4.4)
            assert (pot["status_name"], pot["after"]) == ("Good", 4.4), pot
            silent = write(server, voltage, 5.9)
            assert silent["status_name"] == "BadTimeout"
            assert "nobody knows whether the device took it" in silent["sentence"]
            told = audit(server)
            assert told["fault"] == ""
            assert [(one["tag"], one["asked"], one["state"]) for one in told["records"]] == [
                (voltage, 5.9, "unknown"),
                (voltage, 4.4, "done"),
                (f"{CNC}/setpoint.feed", 0.2, "refused"),
                (speed, 290.0, "refused"),
                (speed, 301, "refused"),
                (speed, 200.0, "done"),
            ]
            assert told["records"][-1]["reason"] == "less chatter"
            assert all(one["by"] for one in told["records"])


def _both(server: Running) -> bool:
    tags = [f"{CNC}/setpoint.speed", f"{POT}/setpoint.voltage"]
    return len(server.parts.historian.reader.latest(tags).to_pylist()) == 2
