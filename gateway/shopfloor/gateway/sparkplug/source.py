"""The Sparkplug source: a host application whose values are acknowledged once they are safe, and a way to write."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from shopfloor.gateway.mqtt import access
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.wire import Hello, Message, Will
from shopfloor.gateway.sparkplug.host import Host, command
from shopfloor.gateway.sparkplug.options import SparkplugOptions
from shopfloor.gateway.sparkplug.plans import Slot
from shopfloor.gateway.sparkplug.read_back import ReadBack
from shopfloor.gateway.sparkplug.session import Session
from shopfloor.gateway.sparkplug.topics import read_state, state, state_topic
from shopfloor.plant import Batch, Outcome, RejectedError, Setpoint, SourceLost, quality

_TICK_S: Final = 0.2
_BIRTH_S: Final = 2.0
_GOODBYE_S: Final = 1.0
_MS: Final = 1_000_000


@dataclass(slots=True)
class SparkplugSource:
    """Reads the edge nodes of one broker, and writes their metrics."""

    name: str
    options: SparkplugOptions
    host: Host
    _link: Connection | None = None
    _awaited: dict[str, ReadBack] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the values come from."""
        return self.options.url

    @property
    def malformed(self) -> int:
        """How many messages or metrics were no values."""
        return self.host.malformed

    @property
    def malformed_sentence(self) -> str:
        """What the last of them was."""
        return self.host.malformed_sentence

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Batch]]:
        """Connect, say so, subscribe and iterate; `SourceLost` says why the broker could not be used."""
        options, since = self.options, time.time_ns() // _MS
        link = Connection(options, self._hello(since), linger=options.linger)
        try:
            await link.connect((*self._states, *options.filters))
            async with self._online(link, since), aclosing(self._batches(link, since)) as batches:
                yield batches
        finally:
            await link.close()

    @asynccontextmanager
    async def _online(self, link: Connection, since: int) -> AsyncIterator[None]:
        """Say that this host is online, as long as it is; the last will says the opposite for a link that broke."""
        await self._say(link, since, online=True)
        self.host.doubt(time.time_ns())
        self._link = link
        try:
            yield
        finally:
            self._link = None
            with contextlib.suppress(SourceLost, TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._say(link, time.time_ns() // _MS, online=False)

    @property
    def connected(self) -> bool:
        """Whether the link is open now."""
        return self._link is not None and self._link.lost is None

    def can_write(self, tag: str) -> bool:
        """Whether a metric of this source can have this tag; whether a node has it, its birth tells."""
        return self.host.names.may_be(tag)

    async def apply(self, setpoint: Setpoint) -> Outcome:
        """Send an NCMD or DCMD and wait until the node reports the value. A lost link raises `SourceLost`."""
        link, value = self._link, setpoint.value
        if link is None or link.lost is not None:
            raise SourceLost(f"The link to {self.url} is not open: nothing was written.")
        found = await self._born(setpoint.tag)
        if found is None or isinstance(value, tuple):
            what = "a Sparkplug metric holds one value" if found else "no living node has this metric"
            return Outcome(quality.BAD_NOT_CONNECTED, None, f"{setpoint.tag} was not written: {what}.")
        try:
            topic, data = command(*found, value, time.time_ns())
        except ValueError as problem:
            return Outcome(quality.BAD_TYPE_MISMATCH, None, f"{setpoint.tag} was not written: {problem}.")
        awaited = self._awaited[setpoint.tag] = ReadBack(value)
        try:
            await link.publish([(topic, data)], qos=0)
            return await awaited.outcome(setpoint.tag)
        finally:
            self._awaited.pop(setpoint.tag, None)

    async def _born(self, tag: str) -> tuple[Session, Slot] | None:
        """The metric behind a tag; a link that was only just made has not heard its birth yet."""
        deadline = time.monotonic() + _BIRTH_S
        while (found := self.host.find(tag)) is None and self.can_write(tag) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_BIRTH_S / 40)
        return found

    async def _batches(self, link: Connection, since: int) -> AsyncGenerator[Batch, None]:
        while True:
            try:
                messages = await self._messages(link)
            except SourceLost as lost:
                for awaited in self._awaited.values():
                    awaited.lose(str(lost))
                raise
            for message in messages:
                await self._take(link, message, since)
            now = time.time_ns()
            self.host.tick(now)
            for topic, data in self.host.commands(now):
                await link.publish([(topic, data)], qos=0)
            for batch in self.host.batches():
                self._show(batch)
                yield batch
            link.acknowledge([message for owner, message in self.host.settled if owner is link])
            self.host.settled.clear()

    async def _messages(self, link: Connection) -> Sequence[Message]:
        """The next messages, or none after a while: time passes for those that do not come as well."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S + self.options.linger):
                return await link.messages()
        return ()

    async def _take(self, link: Connection, message: Message, since: int) -> None:
        topic, data, _, moment = message
        name = topic.decode(errors="replace")
        if name not in self._states:
            self.host.take(name, data, moment, (link, message))
            return
        self.host.settled.append((link, message))
        said = read_state(data)
        if said is not None and not said[0]:
            await self._say(link, since, online=True)

    def _show(self, batch: Batch) -> None:
        for tag in self._awaited.keys() & set(batch.names):
            for sample in batch:
                if sample.tag == tag and not sample.quality >> 31:
                    self._awaited[tag].show(sample.value)

    @property
    def _states(self) -> tuple[str, ...]:
        return (state_topic(self.options.host_id),) if self.options.host_id else ()

    async def _say(self, link: Connection, moment: int, *, online: bool) -> None:
        try:
            said = [(topic, state(moment, online=online)) for topic in self._states]
            await link.publish(said, qos=1, retain=True)
        except RejectedError as problem:
            raise SourceLost(f"{problem} Without STATE this is no primary host: leave 'host_id' out.") from problem

    def _hello(self, since: int) -> Hello:
        options = self.options
        will = Will(self._states[0], state(since, online=False)) if self._states else None
        client = options.client_id or f"shopfloor-{self.name}"
        secret = access.password(options)
        return Hello(client, round(options.keepalive), user=options.user, password=secret, will=will)
