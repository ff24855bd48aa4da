"""The contract suite over the Sparkplug source, on a real broker."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running
from shopfloor.gateway.mqtt import wire
from shopfloor.gateway.sparkplug import SparkplugSource
from shopfloor.gateway.testing import check_actuator, check_source
from shopfloor.plant import Sample, Setpoint
from sparkplug_nodes import BOOLEAN, INT32, STRING, Node, metric

PRESS = "north/stamping/line-1/edge-1/press-1"
UNCERTAIN = 0x40000000


class SparkplugRig:
    """Messages go out with QoS 1, which the specification does not ask for, so that the broker waits for acks."""

    def __init__(self, broker: Broker, source_of: Callable[..., SparkplugSource], acks: list[int]) -> None:
        self.broker, self.make, self.acks = broker, source_of, acks
        self.node = Node(broker.port).connect()

    def source(self) -> SparkplugSource:
        return self.make(self.broker.port)

    async def produce(self) -> Sequence[Sample]:
        start = time.time_ns() // 1_000_000
        rows = [
            Sample(f"{PRESS}/load", (start + n) * 1_000_000, n / 2 + 1, UNCERTAIN if n == 1 else 0) for n in range(4)
        ]
        self.node.birth(qos=1)
        self.node.publish("DBIRTH", "press-1", metric("load", 10, value=0.5, timestamp=start - 1), qos=1)
        for row in rows:
            quality = {"keys": ["Quality"], "values": [{"type": INT32, "int_value": 64 if row.quality else 192}]}
            one = metric(alias=10, value=row.value, timestamp=row.time // 1_000_000, properties=quality)
            self.node.publish("DDATA", "press-1", one, qos=1)
        return rows

    async def acknowledged(self) -> int:
        return len(self.acks)

    async def cut(self) -> None:
        self.node.close()
        self.broker.kill()


@pytest.mark.parametrize("make", [mosquitto_broker, nats_broker], ids=["mosquitto", "nats"])
async def test_sparkplug_keeps_the_contract(
    tmp_path: Path, source_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], Broker]
) -> None:
    acks: list[int] = []
    original = wire.acknowledge

    def acknowledge(mids: Sequence[int]) -> bytes:
        acks.extend(mids)
        return original(mids)

    monkeypatch.setattr(wire, "acknowledge", acknowledge)
    with running(make(tmp_path)) as broker:
        await check_source(SparkplugRig(broker, source_of, acks))


class CommandRig:
    """A press that takes two of its metrics from commands, and not the third."""

    taken = (
        Setpoint(f"{PRESS}/closed", 1.0),
        Setpoint(f"{PRESS}/program", "B"),
        Setpoint(f"{PRESS}/speed", 40.0),
        Setpoint(f"{PRESS}/speed", -41.0),
    )
    refused = Setpoint(f"{PRESS}/force", 3.0)

    def __init__(self, broker: Broker, source_of: Callable[..., SparkplugSource]) -> None:
        self.broker, self.make = broker, source_of
        self.held: dict[str, object] = {"closed": False, "program": "A", "speed": 10, "force": 1.0}
        self.node = Node(broker.port, host_id="shopfloor")
        self.node.on_command, self.node.on_host = self.command, self.birth
        self.node.connect()

    def source(self) -> SparkplugSource:
        return self.make(self.broker.port, host_id="shopfloor")

    def birth(self) -> None:
        self.node.birth()
        codes = {"closed": BOOLEAN, "program": STRING, "speed": INT32, "force": 10}
        metrics = [metric(name, n, codes[name], value) for n, (name, value) in enumerate(self.held.items(), 1)]
        self.node.publish("DBIRTH", "press-1", *metrics)

    def command(self, topic: str, payload: Any) -> None:
        [one] = payload.metrics
        assert not one.name
        name = list(self.held)[one.alias - 1]
        field = one.WhichOneof("value")
        if name != "force":
            value = getattr(one, field)
            self.held[name] = value - 2**32 if field == "int_value" and value >= 2**31 else value
            self.node.publish("DDATA", "press-1", {"alias": one.alias, "timestamp": payload.timestamp, field: value})

    async def holds(self, tag: str) -> object:
        held = self.held[tag.rpartition("/")[2]]
        return float(held) if isinstance(held, bool) else held

    async def cut(self) -> None:
        self.node.close()
        self.broker.kill()


@pytest.mark.sparkplug(
    "tck-id-topics-dcmd-topic",
    "tck-id-topics-dcmd-payload",
    "tck-id-operational-behavior-data-commands-dcmd-verb",
    "tck-id-operational-behavior-data-commands-dcmd-metric-name",
    "tck-id-operational-behavior-data-commands-dcmd-metric-value",
)
async def test_sparkplug_writes_as_the_contract_says(broker: Broker, source_of: Callable[..., Any]) -> None:
    await check_actuator(CommandRig(broker, source_of))
