"""paho-mqtt as its documentation shows it: `on_message` decodes the JSON of each message."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from shopfloor.services.bench.tell import Count, Window, plan, say


class Reader:
    """Subscribes, decodes and counts."""

    def __init__(self, count: Count, qos: int) -> None:
        self._count, self._qos = count, qos
        self._loop, self.granted = asyncio.get_running_loop(), asyncio.Event()

    def on_connect(self, client: paho.Client, *_: Any) -> None:
        """Subscribe to every device."""
        client.subscribe("bench/+", self._qos)

    def on_subscribe(self, *_: Any) -> None:
        """The broker will send."""
        self._loop.call_soon_threadsafe(self.granted.set)

    def on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """One value came."""
        content = json.loads(message.payload)
        if self._count.one(int(message.topic.rpartition("/t")[2]), content["value"]):
            self._count.late(time.time() - content["time"] / 1e3)


async def main(asked: dict[str, Any]) -> None:
    """Subscribe and count until the window is over."""
    window = Window.listening()
    count = Count(window, asked["items"])
    reader = Reader(count, asked["qos"])
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-paho")
    client.on_connect, client.on_subscribe = reader.on_connect, reader.on_subscribe
    client.on_message = reader.on_message
    client.connect("127.0.0.1", asked["port"])
    client.loop_start()
    await reader.granted.wait()
    say("ready", {})
    await window.over()
    client.disconnect()
    client.loop_stop()
    say("result", count.result())


if __name__ == "__main__":
    asyncio.run(main(plan()))
