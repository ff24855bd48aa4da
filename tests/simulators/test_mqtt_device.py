"""A device that speaks MQTT: order, outages, bounds, orders."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from brokers import Broker, mosquitto, mosquitto_broker, nats, running
from paho.mqtt.enums import CallbackAPIVersion
from shopfloor.simulators.mqtt import BrokerError, Client, address


class Ear:
    """A subscriber in a persistent session, so that an outage of its own loses nothing."""

    def __init__(self, url: str, topic: str) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.subscribed = False
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _d, m: self.heard.append((m.topic, m.payload, m.retain))
        self.client.on_connect = lambda c, *_: c.subscribe(topic, 1)
        self.client.on_subscribe = self._on_subscribe
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", int(url.rpartition(":")[2]))
        self.client.loop_start()

    def _on_subscribe(self, *_: Any) -> None:
        self.subscribed = True

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@asynccontextmanager
async def listening(url: str, topic: str = "t/#") -> AsyncIterator[Ear]:
    ear = Ear(url, topic)
    try:
        await until(lambda: ear.subscribed)
        yield ear
    finally:
        await asyncio.to_thread(ear.close)


async def until(condition: Callable[[], Any], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def device(url: str, **options: Any) -> Client:
    return Client(url, "device", status="t/status", **options)


@pytest.mark.parametrize("start", [mosquitto, nats])
async def test_messages_arrive_in_order_and_the_status_is_retained(tmp_path: Path, start: Any) -> None:
    with start(tmp_path) as url:
        async with listening(url) as ear:
            async with device(url) as client:
                for k in range(500):
                    client.publish("t/x", str(k).encode())
                await until(lambda: len([m for m in ear.heard if m[0] == "t/x"]) == 500)
            assert [int(m[1]) for m in ear.heard if m[0] == "t/x"] == list(range(500))
            await until(lambda: [m[1] for m in ear.heard if m[0] == "t/status"] == [b"online", b"offline"])
        async with listening(url) as late:
            await until(lambda: late.heard == [("t/status", b"offline", True)])


async def test_what_is_published_while_the_broker_is_away_arrives_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = mosquitto_broker(tmp_path)
    with running(broker), caplog.at_level(logging.INFO, "shopfloor"):
        online: list[int] = []
        async with device(broker.url, on_online=lambda: online.append(1), outbox=100) as client:
            await until(lambda: online)
            broker.kill()
            await until(lambda: not client.online.is_set())
            for k in range(150):
                client.publish("t/x", str(k).encode())
            assert (len(client.outbox), client.outbox.dropped) == (100, 50)
            await back(broker, client)
            await until(lambda: len(online) == 2)
    said = [record.message for record in caplog.records]
    assert sum("is away for too long" in text for text in said) == 1
    assert sum("is gone" in text for text in said) == 1


async def back(broker: Broker, client: Client) -> None:
    """The broker returns with a subscriber; all that waited arrives, in order, oldest dropped."""
    broker.start()
    async with listening(broker.url) as ear:
        await until(lambda: not client.outbox)
        client.publish("t/x", b"150")
        await until(lambda: ear.heard and ear.heard[-1][1] == b"150")
        numbers = [int(m[1]) for m in ear.heard if m[0] == "t/x"]
        assert numbers == sorted(numbers)


async def test_a_device_that_starts_before_its_broker_waits_for_it(tmp_path: Path) -> None:
    broker = mosquitto_broker(tmp_path)
    async with device(broker.url) as client:
        client.publish("t/x", b"early", retain=True)
        with running(broker):
            async with listening(broker.url) as ear:
                await until(lambda: "t/x" in {topic for topic, _, _ in ear.heard})


async def test_a_device_that_dies_is_offline_by_its_last_will(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as url:
        async with listening(url) as ear, device(url) as client:
            await until(lambda: ("t/status", b"online", False) in ear.heard)
            client._client._sock.shutdown(2)
            await until(lambda: ("t/status", b"offline", False) in ear.heard)
            await until(lambda: ear.heard[-1][1] == b"online")


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "localhost", "mqtt://h:port", "mqtt://h:99999"])
def test_an_address_that_is_no_broker_is_refused(url: str) -> None:
    with pytest.raises(BrokerError, match=r"is no broker address.*mqtt://host:1883"):
        address(url)


def test_the_payload_of_a_bad_value_has_no_number() -> None:
    from shopfloor.simulators.mqtt_line import value_json

    assert json.loads(value_json(float("nan"), 10**18 + 500_000, 0x808C0000)) == {
        "v": None,
        "t": 1_000_000_000_000.5,
        "q": 0x808C0000,
    }
