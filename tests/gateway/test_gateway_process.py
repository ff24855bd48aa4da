"""The gateway as a process: whole path over real protocols, killed at random moments, two on one folder."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from brokers import mosquitto, mosquitto_broker, running
from shopfloor.plant import Batch, Sample

PLANT = """
plant: {{site: delta}}
types:
  machine-tool: {{tags: {{spindle.power: {{unit: kW}}, state: {{kind: text}}, part.count: {{kind: int64}}}}}}
  pot: {{tags: {{voltage: {{unit: V}}, feeder.count: {{kind: int64}}}}}}
assets:
  - {{path: "delta/frames/machining/cell-a/cnc-[01..02]", type: machine-tool}}
  - {{path: "delta/smelter/potline/row-1/pot-[01..09]", type: pot}}
gateway: {{name: edge-1, server: "{server}"}}
sources:
{sources}
"""

OPCUA = """
  - name: machining
    kind: opcua
    url: {url}
    security: none
    publishing_interval: 50ms
    assets: {{Machines/CNC-01: delta/frames/machining/cell-a/cnc-01}}
    tags: {{Spindle/Power: spindle.power, State: state, Count: part.count}}
"""

MQTT = """
  - name: potline
    kind: mqtt
    url: {url}
    topics:
      - {{topic: "factory/{{asset}}", values: values, time: t, tag: "delta/smelter/potline/*/{{asset}}/{{key}}"}}
"""

RECORDING = """
  - {{name: history, kind: recording, folder: {folder}}}
"""


def command(config: Path, data: Path) -> list[str]:
    return [sys.executable, "-m", "shopfloor.services.cli", "gateway", "--config", str(config), "--data", str(data)]


def start(config: Path, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(config, data), check=False, capture_output=True, text=True, timeout=30)


@contextmanager
def gateway(config: Path, data: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command(config, data), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("ready "), line
        assert json.loads(line.removeprefix("ready "))["gateway"].startswith("edge-1-")
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def write(config: Path, server: str, *sources: str) -> Path:
    config.write_text(PLANT.format(server=server, sources="".join(sources)))
    return config


def publisher(url: str) -> paho.Client:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", int(url.rpartition(":")[2]))
    client.loop_start()
    return client


def publish(client: paho.Client, n: int) -> None:
    payload = json.dumps({"t": 1_700_000_000_000 + n, "values": {"voltage": n / 8, "feeder.count": n}})
    client.publish("factory/pot-01", payload, 1)


def record(folder: Path, files: int, rows: int) -> None:
    folder.mkdir()
    for number in range(files):
        tag = "delta/smelter/potline/row-1/pot-02/voltage"
        batch = Batch.of(Sample(tag, number * rows + row, float(row)) for row in range(rows))
        (folder / f"{number:06d}-float64.arrow").write_bytes(batch.to_bytes())
    (folder / "manifest.json").write_text(json.dumps({"complete": True}))


async def test_all_three_connectors_reach_the_server(
    tmp_path: Path, ingest: Any, machine_server: Callable[..., Any], port: int, wait_until: Callable[..., Any]
) -> None:
    record(tmp_path / "history", 3, 1000)
    with mosquitto(tmp_path) as url:
        async with machine_server(port, {"Spindle/Power": 1.5, "State": "IDLE", "Count": 7}) as server:
            config = write(
                tmp_path / "plant.yaml",
                ingest.url,
                OPCUA.format(url=f"opc.tcp://127.0.0.1:{port}/shopfloor/"),
                MQTT.format(url=url),
                RECORDING.format(folder=tmp_path / "history"),
            )
            with gateway(config, tmp_path / "data") as process:
                await wait_until(lambda: ingest.stored("machining") >= 3)
                client = publisher(url)
                for n in range(50):
                    publish(client, n)
                for n in range(20):
                    await server.test_nodes["Spindle/Power"].write_value(float(n))
                await wait_until(lambda: ingest.stored("machining") == 23 and ingest.stored("potline") == 100)
                await wait_until(lambda: ingest.stored("history") == 3000)
                await wait_until(lambda: ingest.healths and ingest.healths[-1]["sources"][2]["state"] == "finished")
                client.disconnect()
                client.loop_stop()
                process.terminate()
                assert process.wait(5) == 0
    assert not ingest.mismatches
    assert list((tmp_path / "history").glob("*.arrow")) == []
    states = {source["name"]: source for source in ingest.healths[-1]["sources"]}
    assert states["machining"]["state"] == "connected"
    assert states["history"]["accepted"] == 3000
    values = {sample.tag: sample.value for sample in ingest.samples()}
    assert values["delta/frames/machining/cell-a/cnc-01/part.count"] == 7
    assert values["delta/smelter/potline/row-1/pot-01/feeder.count"] == 49


async def test_nothing_acknowledged_is_lost_when_killed(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]
) -> None:
    """Every published message is stored although the gateway is killed again and again in full flow."""
    chance = random.Random(7)
    messages = 1_500
    record(tmp_path / "history", 40, 500)
    with running(mosquitto_broker(tmp_path)) as broker:
        sources = MQTT.format(url=broker.url), RECORDING.format(folder=tmp_path / "history")
        config = write(tmp_path / "plant.yaml", ingest.url, *sources)
        with gateway(config, tmp_path / "data"):
            await wait_until(lambda: ingest.healths and ingest.healths[-1]["sources"][0]["state"] == "connected")
        client = publisher(broker.url)
        sent = 0
        for _ in range(5):
            with gateway(config, tmp_path / "data"):
                end = time.monotonic() + chance.uniform(0.1, 0.8)
                while time.monotonic() < end:
                    for _ in range(5):
                        publish(client, sent)
                        sent += 1
                    await asyncio.sleep(0.01)
        while sent < messages:
            publish(client, sent)
            sent += 1
        voltage = "delta/smelter/potline/row-1/pot-01/voltage"
        with gateway(config, tmp_path / "data") as process:
            await wait_until(lambda: len({s.time for s in ingest.samples() if s.tag == voltage}) == sent, 30)
            await wait_until(lambda: not list((tmp_path / "history").glob("*.arrow")))
            await wait_until(lambda: ingest.healths[-1]["spool"]["batches"] == 0)
            await wait_until(lambda: ingest.healths[-1]["sources"][1]["state"] == "finished")
            process.terminate()
            assert process.wait(5) == 0
        client.disconnect()
        client.loop_stop()
    assert not ingest.mismatches
    assert len({s.time for s in ingest.samples() if "pot-02" in s.tag}) == 20_000
    for source in ingest.healths[-1]["sources"]:
        assert source["accepted"] == ingest.stored(source["name"])


async def test_a_broker_that_dies_and_comes_back_is_read_on(
    tmp_path: Path, ingest: Any, wait_until: Callable[..., Any]
) -> None:
    def source() -> dict[str, Any]:
        found: dict[str, Any] = ingest.healths[-1]["sources"][0] if ingest.healths else {"state": ""}
        return found

    with running(mosquitto_broker(tmp_path)) as broker:
        config = write(tmp_path / "plant.yaml", ingest.url, MQTT.format(url=broker.url))
        with gateway(config, tmp_path / "data"):
            await wait_until(lambda: source()["state"] == "connected")
            broker.kill()
            await wait_until(lambda: source()["state"] == "waiting")
            assert source()["detail"]
            broker.start()
            await wait_until(lambda: source()["state"] == "connected")
            client = publisher(broker.url)
            publish(client, 1)
            await wait_until(lambda: ingest.stored("potline") == 2)
            client.disconnect()
            client.loop_stop()
            assert source()["reconnects"] >= 1


@pytest.mark.parametrize("fault", ["second", "folder", "config"])
def test_what_prevents_a_start_is_one_sentence(tmp_path: Path, ingest: Any, fault: str) -> None:
    config = write(tmp_path / "plant.yaml", ingest.url, RECORDING.format(folder=tmp_path))
    data = tmp_path / "data"
    if fault == "second":
        with gateway(config, data):
            answer = start(config, data)
        assert "Another gateway uses the spool folder" in answer.stderr
    elif fault == "folder":
        answer = start(config, Path("/proc/1/spool"))
        assert "cannot be used" in answer.stderr
    else:
        config.write_text(config.read_text().replace("kind: recording,", "kind: recording, pol: 1s,"))
        answer = start(config, data)
        assert "'pol'" in answer.stderr
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
