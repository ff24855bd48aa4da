"""What thingsboard-gateway needs of a ThingsBoard server: the answer to `getSessionLimits`, and ears for its values."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from shopfloor.services.bench.tell import Count, Window, plan, say

_TELEMETRY: Final = "v1/gateway/telemetry"
_REQUEST: Final = "v1/devices/me/rpc/request/"
_LIMITS: Final = {"maxPayloadSize": 65_536, "maxInflightMessages": 1_000, "rateLimits": {}}


class Platform:
    """Counts the values of the tags t0, t1, ... that arrive at the broker; with `keep` remembers each of them."""

    def __init__(self, count: Count, *, keep: bool) -> None:
        self.count = count
        self.kept: dict[str, list[tuple[int, float]]] | None = {} if keep else None
        self.seen = 0

    def on_connect(self, client: paho.Client, *_: Any) -> None:
        """Listen, after every connection anew."""
        client.subscribe([(_TELEMETRY, 1), (f"{_REQUEST}+", 1)])

    def on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        """Answer a request, or count a message's values."""
        if message.topic.startswith(_REQUEST):
            number = message.topic.removeprefix(_REQUEST)
            client.publish(f"v1/devices/me/rpc/response/{number}", json.dumps(_LIMITS), 1)
        elif message.topic == _TELEMETRY:
            for rows in json.loads(message.payload).values():
                for row in rows:
                    self._row(row)

    def _row(self, row: dict[str, Any]) -> None:
        for key, value in row["values"].items():
            if not key.startswith("t") or not isinstance(value, int | float):
                continue
            self.seen += 1
            if self.kept is not None and value >= 0:
                self.kept.setdefault(key, []).append((int(value), time.time()))
            if self.count.one(int(key[1:]), float(value)):
                self.count.late(time.time() - row["ts"] / 1e3)


async def main(asked: dict[str, Any]) -> None:
    """Listen until the window is over."""
    window = Window.listening()
    platform = Platform(Count(window, asked["items"]), keep=asked.get("keep", False))
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="platform")
    client.on_message = platform.on_message
    client.on_connect = platform.on_connect
    client.connect("127.0.0.1", asked["port"])
    client.loop_start()
    say("ready", {})
    while not platform.seen and not window.ended.is_set():  # noqa: ASYNC110 (paho counts in its own thread)
        await asyncio.sleep(0.1)
    say("first", {})
    await window.over()
    client.disconnect()
    client.loop_stop()
    say("result", {**platform.count.result(), "kept": platform.kept})


if __name__ == "__main__":
    asyncio.run(main(plan()))
