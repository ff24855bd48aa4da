"""Commands over MQTT, against a real broker and a device that obeys, refuses in silence, or does not answer at all."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running
from pydantic import ValidationError
from shopfloor.gateway.mqtt import CONNECTOR, MqttOptions, MqttSource
from shopfloor.gateway.testing import check_actuator
from shopfloor.plant import quality
from shopfloor.plant.contracts import Outcome, Setpoint

ASSET = "delta/frames/machining/cell-a/cnc-01"
WRITES = {
    "allow": [f"{ASSET}/*"],
    "topic": "f/{asset}/{tag}/set",
    "payload": '{"v": {value}, "of": "{tag}"}',
    "timeout": "1s",
}


class Device:
    """Obeys commands below 100 (text: any), reports what it holds when it is asked for more, is deaf on `deaf`."""

    def __init__(self, broker: Broker) -> None:
        self.held: dict[str, Any] = {"speed": 10.0, "mode": "A", "deaf": 1.0}
        self.orders: list[Any] = []
        self.ready = threading.Event()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_message = self.obey
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.client.subscribe("f/cnc-01/+/set", 1)
        assert self.ready.wait(10)
        for name in self.held:
            self.report(name)

    def report(self, name: str) -> None:
        self.client.publish(f"f/cnc-01/{name}", json.dumps({"v": self.held[name]}), 1, retain=True)

    def obey(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        name, order = message.topic.split("/")[2], json.loads(message.payload)
        self.orders.append(order)
        if name == "deaf":
            return
        if not isinstance(order["v"], float | int) or order["v"] < 100:
            self.held[name] = order["v"]
        self.report(name)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(params=[mosquitto_broker, nats_broker])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    with running(request.param(tmp_path)) as made:
        yield made


@pytest.fixture
def device(broker: Broker) -> Iterator[Device]:
    made = Device(broker)
    yield made
    made.stop()


def source(broker: Broker, plant: Any, **writes: Any) -> MqttSource:
    topics = [{"topic": "f/{asset}/{tag}", "value": "v", "tag": f"{ASSET}/{{tag}}"}]
    options = MqttOptions.model_validate(
        {"url": broker.url, "topics": topics, "linger": "20ms", "writes": WRITES | writes}
    )
    return CONNECTOR.build("cell", options, plant, broker.log.parent)


class MqttRig:
    taken = tuple(
        Setpoint(f"{ASSET}/{name}", value) for name, value in (("mode", "B"), ("speed", 20.0), ("speed", 30.5))
    )
    refused = Setpoint(f"{ASSET}/speed", 500.0)

    def __init__(self, broker: Broker, plant: Any, device: Device) -> None:
        self.broker, self.plant, self.device = broker, plant, device

    def source(self) -> MqttSource:
        return source(self.broker, self.plant)

    async def holds(self, tag: str) -> object:
        return self.device.held[tag.rpartition("/")[2]]

    async def cut(self) -> None:
        self.device.stop()
        self.broker.kill()


async def test_mqtt_keeps_the_contract_of_an_actuator(broker: Broker, plant: Any, device: Device) -> None:
    await check_actuator(MqttRig(broker, plant, device))
    assert device.orders[0] == {"v": "B", "of": f"{ASSET}/mode"}


@asynccontextmanager
async def applied(one: MqttSource, wait_until: Callable[..., Any]) -> AsyncIterator[Callable[..., Any]]:
    async def read() -> None:
        async with one.open() as batches:
            async for _ in batches:
                pass

    reading = asyncio.create_task(read())
    try:
        await wait_until(lambda: len(one._writer._held) == 3)

        async def apply(name: str, value: Any) -> Outcome:
            return await one.apply(Setpoint(f"{ASSET}/{name}", value))

        yield apply
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_what_a_device_does_not_do(
    broker: Broker, plant: Any, device: Device, wait_until: Callable[..., Any]
) -> None:
    async with applied(source(broker, plant), wait_until) as apply:
        refused = await apply("speed", 500.0)
        silent = await apply("deaf", 2.0)
        already = await apply("deaf", 1.0)
        unknown = await apply("speed", (1.0,))
    assert (refused.status, refused.read_back, refused.before) == (quality.BAD, 10.0, 10.0)
    assert "the device still reports 10.0, not 500.0" in refused.sentence
    assert (silent.status, silent.read_back) == (quality.BAD_TIMEOUT, None)
    assert "no state of" in silent.sentence
    assert (already.status, already.read_back) == (quality.GOOD, 1.0)
    assert unknown.status == quality.BAD_NOT_WRITABLE


@pytest.mark.parametrize(
    ("writes", "words"),
    [
        ({"topic": "f/{machine}/set"}, "is no command topic"),
        ({"topic": "f/+/set"}, "is no command topic"),
        ({"payload": "{v: {value}}"}, "the payload is no JSON"),
        ({"payload": "{}"}, "says no value"),
        ({"allow": ["f/*"]}, "fits no tag"),
    ],
)
def test_commands_that_cannot_be(plant: Any, tmp_path: Path, writes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        source(Broker([], 1883, tmp_path / "log"), plant, **writes)
