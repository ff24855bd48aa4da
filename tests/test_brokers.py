"""The brokers of the tests carry a message and come back on the same port after kill -9."""

import queue
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from brokers import Broker, mosquitto_broker, nats_broker, running


def carries(url: str) -> None:
    port = int(url.rpartition(":")[2])
    arrived: queue.Queue[bytes] = queue.Queue()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: arrived.put(message.payload)
    client.on_connect = lambda c, *_: c.subscribe("a/#", 1)
    client.on_subscribe = lambda c, *_: c.publish("a/b", b"hello", 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert arrived.get(timeout=10) == b"hello"
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("make", [mosquitto_broker, nats_broker])
def test_a_broker_carries_and_returns(make: Callable[[Path], Broker], tmp_path: Path) -> None:
    with running(make(tmp_path)) as broker:
        carries(broker.url)
        broker.kill()
        broker.start()
        carries(broker.url)
