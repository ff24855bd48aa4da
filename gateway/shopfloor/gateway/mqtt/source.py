"""The MQTT source: a persistent session whose messages are acknowledged once they are safe."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from shopfloor.gateway.mqtt import access
from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.inbox import Inbox
from shopfloor.gateway.mqtt.mapping import Mapping, MessageError
from shopfloor.gateway.mqtt.options import MqttOptions
from shopfloor.gateway.mqtt.subscriber import Subscriber
from shopfloor.gateway.mqtt.wire import Hello, Message
from shopfloor.gateway.mqtt.write import Writer
from shopfloor.plant import Batch
from shopfloor.plant.contracts import Outcome, Setpoint

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class MqttSource:
    """Reads the topics of one broker. Messages that are no values are counted in `malformed` and acknowledged.

    `link` is the open connection, None while there is none.
    """

    name: str
    options: MqttOptions
    mapping: Mapping
    malformed: int = 0
    malformed_sentence: str = ""
    link: Connection | None = None
    _writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self._writer = Writer(self.url, self.options.writes, self.options.topics)

    @property
    def url(self) -> str:
        """Where the values come from."""
        return self.options.url

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        """Connect, subscribe and iterate; `SourceLost` says why the broker could not be used."""
        link = self._connection()
        try:
            await link.connect(self.mapping.subscriptions)
            self.link = link
            async with aclosing(self._batches(link)) as batches:
                yield batches
        finally:
            self.link = None
            await link.close()

    @property
    def connected(self) -> bool:
        """Whether there is a connection over which commands can go."""
        return self.link is not None and self.link.lost is None

    def can_write(self, tag: str) -> bool:
        """Whether commands are configured and the tag is one of the source's topics."""
        return self._writer.can_write(tag)

    async def apply(self, setpoint: Setpoint) -> Outcome:
        """Publish a command and wait for the device's state; `SourceLost` when there is no connection."""
        return await self._writer.apply(self.link, setpoint)

    async def _batches(self, link: Subscriber) -> AsyncGenerator[Batch, None]:
        while True:
            messages = await link.messages()
            batches = list(self._read(messages).batches())
            for batch in batches:
                self._writer.observe(batch)
            for batch in batches:
                yield batch
            link.acknowledge(messages)

    def _read(self, messages: Sequence[Message]) -> Columns:
        columns, read = Columns(), self.mapping.read
        for topic, payload, _mid, time in messages:
            try:
                read(topic, payload, time, columns)
            except MessageError as problem:
                self._refuse(topic, problem)
        return columns

    def _refuse(self, topic: bytes, problem: MessageError) -> None:
        self.malformed += 1
        sentence = f"A message on {topic.decode(errors='replace')} was not understood: {problem}."
        if sentence != self.malformed_sentence:
            _logger.warning("%s: %s", self.name, sentence)
        self.malformed_sentence = sentence

    def _connection(self) -> Connection:
        options = self.options
        hello = Hello(
            options.client_id or f"shopfloor-{self.name}",
            round(options.keepalive),
            lasting=True,
            user=options.user,
            password=access.password(options),
        )
        return Connection(options, hello, int(options.qos), options.linger, Inbox(options.in_flight))


async def listen(options: MqttOptions, seconds: float, newest: dict[str, bytes]) -> None:
    """Note the newest message of every topic for a while, in a session that the broker forgets afterwards."""
    hello = Hello(
        options.client_id or "", round(options.keepalive), user=options.user, password=access.password(options)
    )
    link = Connection(options, hello, int(options.qos))
    try:
        await link.connect([topic.topic for topic in options.topics])
        async with asyncio.timeout(seconds):
            while True:
                messages = await link.messages()
                newest.update((topic.decode(errors="replace"), payload) for topic, payload, _, _ in messages)
                link.acknowledge(messages)
    except TimeoutError:
        pass
    finally:
        await link.close()
