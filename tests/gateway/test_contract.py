"""All shipped connectors keep the contract, each against a real device."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from asyncua import ua
from asyncua.server.internal_session import InternalSession
from brokers import Broker, mosquitto_broker, nats_broker, running
from shopfloor.gateway.mqtt import CONNECTOR as MQTT
from shopfloor.gateway.mqtt import MqttOptions, MqttSource, wire
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.recording import RecordingSource
from shopfloor.gateway.testing import check_source
from shopfloor.plant import Batch, Sample

ASSET = "delta/frames/machining/cell-a/cnc-01"
UNCERTAIN = 0x40000000


def samples(tag: str, start: int, step: int = 1000) -> list[Sample]:
    return [Sample(tag, start + step * n, n / 2 + 1, UNCERTAIN if n == 1 else 0) for n in range(4)]


class RecordingRig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0

    def source(self) -> RecordingSource:
        return RecordingSource(self.folder, 0.02)

    async def produce(self) -> Sequence[Sample]:
        rows = samples(f"{ASSET}/load", 1_000_000 * self.made)
        part = self.folder / "new.tmp"
        part.write_bytes(Batch.of(rows).to_bytes())
        part.rename(self.folder / f"{self.made:06d}-float64.arrow")
        self.made += 1
        return rows

    async def acknowledged(self) -> int:
        return self.made - len(list(self.folder.glob("*.arrow")))

    async def cut(self) -> None:
        self.folder.rename(self.folder.with_name("gone"))


class MqttRig:
    def __init__(self, broker: Broker, plant: Any, acks: list[int]) -> None:
        self.broker, self.plant, self.acks = broker, plant, acks
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def source(self) -> MqttSource:
        topics = [{"topic": "f/{asset}/{tag}", "value": "v", "time": "t", "quality": "q", "tag": f"{ASSET}/{{tag}}"}]
        options = MqttOptions.model_validate({"url": self.broker.url, "topics": topics})
        return MQTT.build("potline", options, self.plant, self.broker.log.parent)

    async def produce(self) -> Sequence[Sample]:
        rows = samples(f"{ASSET}/load", time.time_ns() // 1_000_000 * 1_000_000, 1_000_000)
        for row in rows:
            body = {"v": row.value, "t": row.time // 1_000_000, "q": "uncertain" if row.quality else "good"}
            self.client.publish("f/cnc-01/load", json.dumps(body), 1).wait_for_publish(5)
        return rows

    async def acknowledged(self) -> int:
        return len(self.acks)

    async def cut(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.broker.kill()


class OpcuaRig:
    def __init__(self, server: Any, port: int, acks: list[int]) -> None:
        self.server, self.port, self.acks = server, port, acks

    def source(self) -> OpcuaSource:
        options = OpcuaOptions.model_validate(
            {
                "url": f"opc.tcp://127.0.0.1:{self.port}/shopfloor/",
                "security": "none",
                "publishing_interval": "50ms",
                "assets": {"Machines/CNC-01": ASSET},
                "tags": {"Spindle/Load": "load"},
            }
        )
        return OpcuaSource("machining", options)

    async def produce(self) -> Sequence[Sample]:
        rows = samples(f"{ASSET}/load", time.time_ns() // 1000 * 1000)
        for row in rows:
            moment = datetime.fromtimestamp(row.time // 1000 / 1e6, UTC)
            value = ua.DataValue(ua.Variant(row.value, ua.VariantType.Double), ua.StatusCode(row.quality), moment)
            await self.server.test_nodes["Spindle/Load"].write_value(value)
        return rows

    async def acknowledged(self) -> int:
        return len(self.acks)

    async def cut(self) -> None:
        await self.server.stop()


async def test_a_recording_keeps_the_contract(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    folder.mkdir()
    await check_source(RecordingRig(folder))


@pytest.mark.parametrize("make", [mosquitto_broker, nats_broker])
async def test_mqtt_keeps_the_contract(
    tmp_path: Path, plant: Any, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Broker]
) -> None:
    acks: list[int] = []
    original = wire.acknowledge

    def acknowledge(mids: Sequence[int]) -> bytes:
        acks.extend(mids)
        return original(mids)

    monkeypatch.setattr(wire, "acknowledge", acknowledge)
    with running(make(tmp_path)) as broker:
        await check_source(MqttRig(broker, plant, acks))


async def test_opcua_keeps_the_contract(
    machine_server: Callable[..., Any], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    acks: list[int] = []
    original = InternalSession.publish

    def publish(self: InternalSession, received: Any = None) -> Any:
        acks.extend(received or ())
        return original(self, received)

    monkeypatch.setattr(InternalSession, "publish", publish)
    async with machine_server(port, {"Spindle/Load": 0.0}) as server:
        await check_source(OpcuaRig(server, port, acks))
