"""A Sparkplug edge node for tests: hand-made payloads over a real broker, every field under the test's control."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from shopfloor.gateway.sparkplug.payload import Payload

DOUBLE, INT32, INT64, BOOLEAN, STRING = 10, 3, 4, 11, 12
FIELDS = {
    DOUBLE: "double_value",
    INT32: "int_value",
    INT64: "long_value",
    BOOLEAN: "boolean_value",
    STRING: "string_value",
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def metric(
    name: str = "", alias: int | None = None, code: int = DOUBLE, value: Any = None, **more: Any
) -> dict[str, Any]:
    """The keywords of a metric with its value in the field that the specification names."""
    made = {"timestamp": now_ms()} | more
    if name:
        made["name"] = name
    if alias is not None:
        made["alias"] = alias
    if value is None:
        made.setdefault("is_null", True)
    else:
        made[FIELDS[code]] = value
    return made | ({"datatype": code} if name else {})


def payload(*metrics: dict[str, Any], seq: int | None = None, timestamp: int | None = None) -> bytes:
    """A payload; without a sequence number when `seq` is None."""
    made = Payload(timestamp=now_ms() if timestamp is None else timestamp)
    if seq is not None:
        made.seq = seq
    for one in metrics:
        made.metrics.add(**one)
    return bytes(made.SerializeToString())


@dataclass
class Node:
    """An edge node; `publish` sends the next message in sequence, `commands` are those it was sent."""

    port: int
    group: str = "press-shop"
    name: str = "edge-1"
    bdseq: int = 0
    seq: int = 0
    commands: list[tuple[str, Any]] = field(default_factory=list)
    on_command: Callable[[str, Any], None] = lambda _topic, _payload: None
    host_id: str = ""
    on_host: Callable[[], None] = lambda: None

    def connect(self) -> Node:
        """Connect with the death as the last will, and listen for commands."""
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"{self.name}-{id(self)}")
        self.client.will_set(self.topic("NDEATH"), self.death(), 1)
        ready = threading.Event()
        topics = [(self.topic("NCMD"), 1), (self.topic("DCMD", "#"), 1), (f"spBv1.0/STATE/{self.host_id or 'none'}", 1)]
        self.client.on_connect = lambda client, *_: client.subscribe(topics)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._command
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        assert ready.wait(10)
        return self

    def topic(self, verb: str, device: str = "") -> str:
        return "/".join(filter(None, ("spBv1.0", self.group, verb, self.name, device)))

    def death(self) -> bytes:
        return payload({"name": "bdSeq", "timestamp": now_ms(), "datatype": INT64, "long_value": self.bdseq})

    def birth(self, *metrics: dict[str, Any], qos: int = 0) -> None:
        """Publish the NBIRTH, with bdSeq and Node Control/Rebirth."""
        self.seq = 0
        bdseq = metric("bdSeq", code=INT64, value=self.bdseq)
        control = metric("Node Control/Rebirth", code=BOOLEAN, value=False)
        self.publish("NBIRTH", "", bdseq, control, *metrics, qos=qos)

    def publish(self, verb: str, device: str, *metrics: dict[str, Any], qos: int = 0, seq: int | None = None) -> None:
        """Publish with the next sequence number, or with this one."""
        data = payload(*metrics, seq=self.seq if seq is None else seq)
        self.seq = (self.seq + 1) % 256 if seq is None else self.seq
        self.send(self.topic(verb, device), data, qos)

    def send(self, topic: str, data: bytes, qos: int = 0) -> None:
        sent = self.client.publish(topic, data, qos)
        if qos:
            sent.wait_for_publish(10)

    def drop(self) -> None:
        """Vanish without a goodbye: the broker publishes the will."""
        self.client._sock_close()
        self.client.loop_stop()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _command(self, _client: Any, _data: Any, message: Any) -> None:
        if "/STATE/" in message.topic:
            if json.loads(message.payload)["online"]:
                self.on_host()
            return
        read = Payload.FromString(message.payload)
        self.commands.append((message.topic, read))
        self.on_command(message.topic, read)


class Listener:
    """Everything on the broker, in order, as (topic, payload, qos, retain)."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, Any, int, bool]] = []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        options = paho.SubscribeOptions(qos=1, retainAsPublished=True)
        self.client.on_connect = lambda client, *_: client.subscribe("spBv1.0/#", options=options)
        self.ready = False
        self.client.on_subscribe = lambda *_: setattr(self, "ready", True)
        self.client.on_message = self._note
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _note(self, _client: Any, _data: Any, message: Any) -> None:
        state = "/STATE/" in message.topic
        read = json.loads(message.payload) if state else Payload.FromString(message.payload)
        self.heard.append((message.topic, read, message.qos, message.retain))

    def of(self, verb: str) -> list[Any]:
        return [read for topic, read, _, _ in self.heard if topic.split("/")[2] == verb]

    def values(self, *, historical: bool = False) -> list[float]:
        found = [one for read in self.of("DDATA") for one in read.metrics]
        return [one.double_value for one in found if one.is_historical == historical]

    def send(self, topic: str, data: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, data, 1, retain).wait_for_publish(5)

    def state(self, *, online: bool, timestamp: int | None = None) -> None:
        said = {"online": online, "timestamp": now_ms() if timestamp is None else timestamp}
        self.send("spBv1.0/STATE/scada", json.dumps(said).encode(), retain=True)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
