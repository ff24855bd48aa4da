"""The MQTT source: a persistent session whose messages are acknowledged once they are safe."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from shopfloor.gateway.mqtt.inbox import Inbox, Message
from shopfloor.gateway.mqtt.mapping import Mapping, MessageError
from shopfloor.gateway.mqtt.options import MqttOptions
from shopfloor.plant import Batch, Kind, Sample, SourceLost

_logger = logging.getLogger(__name__)
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_ANSWER_S: Final = 10.0
_CONNECT_S: Final = 3.0
_SESSION_S: Final = 7 * 86_400


@dataclass(slots=True)
class MqttSource:
    """Reads the topics of one broker. Messages that are no values are counted in `malformed` and acknowledged."""

    name: str
    options: MqttOptions
    mapping: Mapping
    malformed: int = 0
    malformed_sentence: str = ""

    @property
    def url(self) -> str:
        """Where the values come from."""
        return self.options.url

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        """Connect, subscribe and iterate; `SourceLost` says why the broker could not be used."""
        inbox = Inbox(asyncio.get_running_loop(), self.options.in_flight)
        link = _Link(self.options, self._client(), inbox)
        try:
            await link.connect(self.mapping.subscriptions)
            async with aclosing(self._batches(link)) as batches:
                yield batches
        finally:
            inbox.close()
            await asyncio.to_thread(link.close)

    async def _batches(self, link: _Link) -> AsyncGenerator[Batch, None]:
        while True:
            messages = await link.collect()
            for batch in self._read(messages):
                yield batch
            link.acknowledge(messages)

    def _read(self, messages: Sequence[Message]) -> Iterator[Batch]:
        columns: dict[type, list[Sample]] = {float: [], int: [], str: []}
        for message in messages:
            try:
                samples = self.mapping.read(message.topic, message.payload, message.time)
            except MessageError as problem:
                self._refuse(message, problem)
                continue
            for sample in samples:
                columns[type(sample.value)].append(sample)
        for kind, rows in zip((Kind.FLOAT, Kind.INT, Kind.TEXT), columns.values(), strict=True):
            if rows:
                yield Batch.of(rows, kind)

    def _refuse(self, message: Message, problem: MessageError) -> None:
        self.malformed += 1
        sentence = f"A message on {message.topic} was not understood: {problem}."
        if sentence != self.malformed_sentence:
            _logger.warning("%s: %s", self.name, sentence)
        self.malformed_sentence = sentence

    def _client(self) -> paho.Client:
        options = self.options
        five = options.version == "5"
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id or f"shopfloor-{self.name}",
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = _CONNECT_S
        if options.user is not None:
            client.username_pw_set(options.user, _secret(options.password_file))
        if options.broker.scheme == "mqtts":
            client.tls_set_context(_tls(options.ca_file))
        return client


@dataclass(slots=True)
class _Link:
    """One connection. paho's network thread calls in; everything else runs in the event loop."""

    options: MqttOptions
    client: paho.Client
    inbox: Inbox
    _granted: bool = False
    _wanted: Sequence[str] = ()

    async def connect(self, topics: Sequence[str]) -> None:
        """Connect and subscribe, or raise `SourceLost`."""
        self._wanted = topics
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        try:
            await asyncio.to_thread(self._dial)
            async with asyncio.timeout(_ANSWER_S):
                while not self._granted:
                    await self.inbox.arrived.wait()
                    self.inbox.arrived.clear()
                    self._check()
        except TimeoutError as problem:
            raise SourceLost(f"The broker {self.options.url} does not answer within {_ANSWER_S:g} s.") from problem
        self.inbox.arrived.set()

    def _dial(self) -> None:
        broker = self.options.broker
        five = self.options.version == "5"
        more: dict[str, Any] = {"clean_start": False, "properties": _lasting()} if five else {}
        try:
            self.client.connect(
                broker.hostname or "", broker.port or _PORTS[broker.scheme], round(self.options.keepalive), **more
            )
        except ssl.SSLError as problem:
            raise SourceLost(
                f"The broker {self.options.url} shows a certificate that is not trusted ({problem.reason}):"
                " name its authority by 'ca_file'."
            ) from problem
        except OSError as problem:
            raise SourceLost(
                f"Nothing answers at {self.options.url} ({problem.strerror or problem}): check the address and that the"
                " broker runs."
            ) from problem
        if self.inbox.closed:
            self.client.disconnect()
        else:
            self.client.loop_start()

    async def collect(self) -> list[Message]:
        """The messages of the next `linger` seconds after the first one."""
        while not self.inbox:
            self._check()
            await self.inbox.arrived.wait()
            self.inbox.arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.options.linger):
                while len(self.inbox) < self.options.in_flight and not self.inbox.lost:
                    await self.inbox.arrived.wait()
                    self.inbox.arrived.clear()
        return self.inbox.take()

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that it may forget the messages."""
        for message in messages:
            if message.qos:
                self.client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Leave; the broker keeps the session and all that was not acknowledged."""
        with contextlib.suppress(OSError):
            self.client.disconnect()
        self.client.loop_stop()

    def _check(self) -> None:
        if self.inbox.lost and not self.inbox:
            raise SourceLost(self.inbox.lost)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.inbox.lose(
                f"The broker {self.options.url} refuses this client ({reason}): check 'user' and 'password_file'."
            )
            return
        code, _ = client.subscribe([(topic, int(self.options.qos)) for topic in self._wanted])
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.inbox.lose(f"The broker {self.options.url} took no subscription ({code.name}).")

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        refused = [topic for topic, reason in zip(self._wanted, reasons, strict=False) if reason.is_failure]
        if refused:
            self.inbox.lose(f"The broker {self.options.url} refuses to send {refused[0]!r}: check its access rights.")
        self._granted = not refused
        self.inbox.loop.call_soon_threadsafe(self.inbox.arrived.set)

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.inbox.lose(f"The link to the broker {self.options.url} is lost ({reason}).")

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self.inbox.put(Message(message.topic, bytes(message.payload), message.mid, message.qos, time.time_ns()))


def _lasting() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = _SESSION_S
    return properties


def _secret(file: str | None) -> str | None:
    if file is None:
        return None
    try:
        return Path(file).read_text().strip()
    except OSError as problem:
        raise SourceLost(f"The password file {file} cannot be read ({problem.strerror}).") from problem


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as problem:
        raise SourceLost(f"The certificate file {ca_file} cannot be used ({problem}).") from problem


async def listen(options: MqttOptions, seconds: float, newest: dict[str, bytes]) -> None:
    """Note the newest message of every topic for a while, in a session that the broker forgets afterwards."""
    inbox = Inbox(asyncio.get_running_loop())
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=options.client_id, reconnect_on_failure=False)
    client.connect_timeout = _CONNECT_S
    link = _Link(options, client, inbox)
    try:
        await link.connect([topic.topic for topic in options.topics])
        await asyncio.sleep(seconds)
        newest.update((message.topic, message.payload) for message in inbox.take())
    finally:
        inbox.close()
        await asyncio.to_thread(link.close)
