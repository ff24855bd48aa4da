"""A host application on a real broker, and what it hands over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running
from shopfloor.gateway.mqtt import wire
from shopfloor.gateway.sparkplug import CONNECTOR, SparkplugOptions, SparkplugSource
from shopfloor.plant import Sample
from sparkplug_nodes import Listener, Node

ASSETS = {
    "press-shop/{node}": "north/stamping/line-1/cells/{node}",
    "press-shop/{node}/{device}": "north/stamping/line-1/{node}/{device}",
}
PRESS = "north/stamping/line-1/edge-1/press-1"
EDGE = "north/stamping/line-1/cells/edge-1"


@pytest.fixture(params=[mosquitto_broker, nats_broker], ids=["mosquitto", "nats"])
def each_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    with running(request.param(tmp_path)) as broker:
        yield broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running(mosquitto_broker(tmp_path)) as broker:
        yield broker


def make_source(port: int, plant: Any = None, **more: Any) -> SparkplugSource:
    given = {"url": f"mqtt://127.0.0.1:{port}", "assets": ASSETS, "linger": "20ms", "rebirth_every": "1s"}
    options = SparkplugOptions.model_validate(given | more)
    return CONNECTOR.build("presses", options, plant, Path())


class Reading:
    """What a source has handed over so far."""

    def __init__(self, source: SparkplugSource) -> None:
        self.source = source
        self.samples: list[Sample] = []

    def of(self, tag: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.tag == tag]

    def values(self, tag: str) -> list[Any]:
        return [sample.value for sample in self.of(tag)]


@asynccontextmanager
async def reading(source: SparkplugSource) -> AsyncIterator[Reading]:
    """Read a source as the pipeline does."""
    found = Reading(source)
    async with source.open() as batches:

        async def run() -> None:
            async for batch in batches:
                found.samples.extend(batch)

        task = asyncio.create_task(run())
        try:
            yield found
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def source_of() -> Callable[..., SparkplugSource]:
    return make_source


@pytest.fixture
def read() -> Callable[..., Any]:
    return reading


@pytest.fixture
def node(broker: Broker) -> Iterator[Node]:
    made = Node(broker.port).connect()
    yield made
    made.close()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    made = Listener(broker.port)
    yield made
    made.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, int]]:
    """What our side subscribes to and publishes, in order, as ("subscribe", topics, qos) or ("publish", topic, mid)."""
    seen: list[tuple[str, Any, int]] = []
    subscribe, publish = wire.subscribe, wire.publish

    def on_subscribe(mid: int, topics: Any, qos: int, version: int) -> bytes:
        seen.append(("subscribe", tuple(topics), qos))
        return subscribe(mid, topics, qos, version)

    def on_publish(topic: str, payload: bytes, mid: int, version: int, *, retain: bool = False) -> bytes:
        seen.append(("publish", topic, mid))
        return publish(topic, payload, mid, version, retain=retain)

    monkeypatch.setattr(wire, "subscribe", on_subscribe)
    monkeypatch.setattr(wire, "publish", on_publish)
    return seen
