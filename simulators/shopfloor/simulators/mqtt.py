"""A device that speaks MQTT: one client, ordered, bounded, patient.

What is published waits in an outbox until the broker has acknowledged its predecessors; while the broker is away the
outbox fills, and when it is full the oldest message is dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from shopfloor.plant import ShopfloorError

OUTBOX: Final = 100_000
IN_FLIGHT: Final = 100
_LOG: Final = logging.getLogger(__name__)


class BrokerError(ShopfloorError):
    """An address that is no broker's."""


class Message(NamedTuple):
    """What is to be published with QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Outbox:
    """Messages in order, at most `limit`; a full outbox drops its oldest message.

    >>> box = Outbox(2)
    >>> for topic in "abc": box.put(Message(topic, b""))
    >>> box.dropped, box.take().topic
    (1, 'b')
    """

    def __init__(self, limit: int = OUTBOX) -> None:
        self._messages: deque[Message] = deque(maxlen=limit)
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def full(self) -> bool:
        """Whether the next message drops the oldest one."""
        return len(self._messages) == self._messages.maxlen

    def put(self, message: Message) -> None:
        """Append; the oldest message falls out of a full outbox."""
        self.dropped += self.full
        self._messages.append(message)

    def take(self) -> Message:
        """The oldest message; an empty outbox raises `IndexError`."""
        return self._messages.popleft()


def address(url: str) -> tuple[str, int, str | None, str | None]:
    """Host, port, user and password of `mqtt://[user:password@]host[:port]`; `BrokerError` for anything else.

    >>> address("mqtt://127.0.0.1:1884")
    ('127.0.0.1', 1884, None, None)
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 1883
    except ValueError as problem:
        raise BrokerError(f"{url!r} is no broker address ({problem}): write mqtt://host:1883.") from problem
    if parts.scheme != "mqtt" or not parts.hostname:
        raise BrokerError(f"{url!r} is no broker address: write mqtt://host:1883.")
    return parts.hostname, port, parts.username, parts.password


class Client:
    """An async context manager around one paho client with its own thread; every method belongs to the event loop.

    `on_online` is called after each (re)connection, `on_message(topic, payload)` for what arrives on `subscriptions`.
    `status` is the topic that holds `online`, and `offline` as the last will. It never gives up connecting.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        status: str,
        subscriptions: tuple[str, ...] = (),
        on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None,
        on_online: Callable[[], None] = lambda: None,
        outbox: int = OUTBOX,
    ) -> None:
        self._host, self._port, user, password = address(url)
        self.url = f"mqtt://{self._host}:{self._port}"
        self._status = status
        self._subscriptions = subscriptions
        self._on_message = on_message
        self._on_online = on_online
        self.outbox = Outbox(outbox)
        self.online = asyncio.Event()
        self._in_flight: set[int] = set()
        self._lost_before = False
        self._leaving = False
        self._complained = False
        self._idle = asyncio.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv311)
        if user:
            self._client.username_pw_set(user, password)

    async def __aenter__(self) -> Self:
        client, loop = self._client, asyncio.get_running_loop()

        def post(method: Callable[..., None], *arguments: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(method, *arguments)

        client.on_connect = lambda _c, _d, _f, code, _p: post(self._connected, code.is_failure, str(code))
        client.on_disconnect = lambda _c, _d, _f, code, _p: post(self._disconnected, str(code))
        client.on_publish = lambda _c, _d, mid, _r, _p: post(self._acknowledged, mid)
        client.on_message = lambda _c, _d, message: post(self._on_message, message.topic, message.payload)
        client.will_set(self._status, b"offline", qos=1, retain=True)
        client.reconnect_delay_set(1, 2)
        client.max_inflight_messages_set(IN_FLIGHT)
        client.connect_async(self._host, self._port, keepalive=30)
        client.loop_start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving = True
        if self.online.is_set():
            await self._flush(1.0)
            self._client.publish(self._status, b"offline", qos=1, retain=True)
            self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 as soon as the broker is there, after everything published before."""
        self.outbox.put(Message(topic, payload, retain))
        self._drain()

    def _drain(self) -> None:
        if not self.online.is_set():
            self._complain()
            return
        while self.outbox and len(self._in_flight) < IN_FLIGHT:
            message = self.outbox.take()
            answer = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
            self._in_flight.add(answer.mid)
        if not self._in_flight:
            self._idle.set()

    def _acknowledged(self, mid: int) -> None:
        self._in_flight.discard(mid)
        self._drain()

    def _connected(self, failed: bool, reason: str) -> None:
        if failed:
            _LOG.warning("The broker %s refuses this device: %s.", self.url, reason)
            return
        if self._lost_before:
            _LOG.info("The broker %s is back; %d messages waited.", self.url, len(self.outbox))
        for topic in self._subscriptions:
            self._client.subscribe(topic, qos=1)
        self._client.publish(self._status, b"online", qos=1, retain=True)
        self._complained = False
        self.online.set()
        self._on_online()
        self._drain()

    def _disconnected(self, reason: str) -> None:
        if self.online.is_set() and not self._leaving:
            _LOG.warning("The broker %s is gone (%s): messages wait here until it is back.", self.url, reason)
        self.online.clear()
        self._lost_before = True

    def _complain(self) -> None:
        if self.outbox.full and not self._complained:
            self._complained = True
            _LOG.warning("The broker %s is away for too long: the oldest messages are dropped.", self.url)

    async def _flush(self, seconds: float) -> None:
        self._idle = asyncio.Event()
        self._drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
        if self.outbox or self._in_flight:
            _LOG.warning("%d messages were not acknowledged by %s.", len(self.outbox) + len(self._in_flight), self.url)
