"""One connection to an MQTT broker, in the event loop: it cuts whole reads into messages at once.

It keeps the contract of `Subscriber`, and it can publish. Decision 7 says why it is our own.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from shopfloor.gateway.mqtt import access, wire
from shopfloor.gateway.mqtt.inbox import Inbox
from shopfloor.gateway.mqtt.wire import V5, V311, Hello, Message
from shopfloor.plant import RejectedError, SourceLost
from shopfloor.plant.config import BrokerSection

_ANSWER_S: Final = 10.0
_DIAL_S: Final = 5.0
_GOODBYE_S: Final = 1.0
_UNFIT: Final = {V5: (0x01, 0x84), V311: (0x01,)}
_VERSIONS: Final = {"3.1.1": (V311,), "5": (V5,), "auto": (V5, V311)}


class _WrongVersion(Exception):  # noqa: N818 (a state, not a mistake)
    """The broker does not speak this version of MQTT."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Connection(asyncio.Protocol):
    """A subscriber, and a publisher, over one TCP or TLS connection. `linger` is how long messages are collected."""

    broker: BrokerSection
    hello: Hello
    qos: int = 1
    linger: float = 0.1
    inbox: Inbox = field(default_factory=Inbox)
    version: int = V5
    lost: SourceLost | None = None
    _transport: asyncio.Transport | None = None
    _answers: dict[tuple[int, int], asyncio.Future[bytes]] = field(default_factory=dict)
    _writable: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _paused: bool = False
    _heard: float = 0.0
    _mid: int = 0
    _most: int = 100
    _closing: bool = False
    _beat: asyncio.TimerHandle | None = None

    async def connect(self, topics: Sequence[str] = ()) -> None:
        """Connect, log in and subscribe; `SourceLost` says why the broker cannot be used."""
        *first, last = _VERSIONS[self.broker.version]
        for version in first:
            with contextlib.suppress(_WrongVersion):
                return await self._connect(topics, version)
            await self._forget()
        try:
            return await self._connect(topics, last)
        except _WrongVersion as problem:
            sentence = f"The broker {self.broker.url} does not speak MQTT {self.broker.version}: write 'version: auto'."
            raise SourceLost(sentence) from problem

    async def _connect(self, topics: Sequence[str], version: int) -> None:
        self.version = version
        self.inbox.begin(version)
        await self._dial()
        try:
            await self._greet()
            if topics:
                await self._subscribe(topics)
        except TimeoutError as problem:
            raise SourceLost(f"The broker {self.broker.url} does not answer within {_ANSWER_S:g} s.") from problem
        except (wire.WireError, IndexError) as problem:
            raise self._no_mqtt(problem) from problem

    async def _dial(self) -> None:
        host, port = access.address(self.broker)
        loop, context = asyncio.get_running_loop(), access.tls(self.broker)
        try:
            async with asyncio.timeout(_DIAL_S):
                await loop.create_connection(lambda: self, host, port, ssl=context)
        except TimeoutError as problem:
            raise access.unreachable(self.broker.url, OSError(f"no answer within {_DIAL_S:g} s")) from problem
        except OSError as problem:
            raise access.unreachable(self.broker.url, problem) from problem

    async def _greet(self) -> None:
        self._send(wire.connect(self.hello, self.version))
        try:
            answer = await self._answer(wire.CONNACK, 0)
        except SourceLost:
            if self.version == V5 and self.broker.version == "auto" and self.lost is not None:
                raise _WrongVersion from self.lost
            raise
        code = answer[1]
        if code in _UNFIT[self.version]:
            raise _WrongVersion
        given = wire.properties(answer, 2)[0] if self.version == V5 and len(answer) > 2 else {}
        if code:
            raise access.refused(self.broker.url, code, self.version, str(given.get(wire.REASON_STRING, "")))
        self._most = min(self._most, cast("int", given.get(wire.RECEIVE_MAXIMUM, self._most)))
        self._keep_alive(cast("int", given.get(wire.SERVER_KEEP_ALIVE, self.hello.keepalive)))

    async def _subscribe(self, topics: Sequence[str]) -> None:
        mid = self._next()
        self._send(wire.subscribe(mid, topics, self.qos, self.version))
        body = await self._answer(wire.SUBACK, mid)
        codes = body[wire.properties(body, 2)[1] if self.version == V5 else 2 :]
        refused = [topic for topic, code in zip(topics, codes, strict=False) if code >= 0x80]
        if refused or len(codes) != len(topics):
            name = (refused or list(topics))[0]
            raise SourceLost(f"The broker {self.broker.url} refuses to send {name!r}: check its access rights.")

    async def messages(self) -> list[Message]:
        """Wait for messages, collect more for a moment, and answer them in the order of their arrival."""
        messages = await self.inbox.take(self.linger)
        if not messages and self.lost is not None:
            raise self.lost
        if self._paused and self.lost is None and self._transport is not None:
            self._paused, self._heard = False, time.monotonic()
            self._transport.resume_reading()
        return messages

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that it may forget these messages; harmless after the link is lost."""
        mids = self.inbox.acknowledge(messages)
        if mids and self.lost is None:
            self._send(wire.acknowledge(mids))

    async def publish(self, messages: Sequence[tuple[str, bytes]], *, qos: int = 1, retain: bool = False) -> None:
        """Send messages (topic, payload); with QoS 1, return when the broker has acknowledged all of them.

        `SourceLost`: some may be gone. `RejectedError`: the broker takes no such topic from this client.
        """
        for start in range(0, len(messages), self._most):
            await self._writable.wait()
            if self.lost is not None:
                raise self.lost
            some = messages[start : start + self._most]
            mids = [self._next() if qos else 0 for _ in some]
            answers = [self._expect(wire.PUBACK, mid) for mid in mids if mid]
            self._send(
                b"".join(
                    wire.publish(topic, payload, mid, self.version, retain=retain)
                    for (topic, payload), mid in zip(some, mids, strict=True)
                )
            )
            try:
                self._check(some, [await answer for answer in answers])
            finally:
                for mid in mids:
                    self._answers.pop((wire.PUBACK, mid), None)

    def _check(self, messages: Sequence[tuple[str, bytes]], answers: Sequence[bytes]) -> None:
        refused = [topic for (topic, _), body in zip(messages, answers, strict=False) if body[2:3] >= b"\x80"]
        if refused:
            raise RejectedError(
                f"The broker {self.broker.url} refuses {refused[0]!r}: check what this user may publish."
            )

    async def gone(self) -> SourceLost:
        """Wait until the link is lost, and answer why."""
        await self._ended.wait()
        return self.lost or SourceLost(f"The link to the broker {self.broker.url} was closed.")

    async def close(self) -> None:
        """Leave politely; the broker keeps a persistent session."""
        self._closing = True
        if self._beat is not None:
            self._beat.cancel()
        if self._transport is None or self.lost is not None:
            return
        self._send(wire.GOODBYE)
        self._transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await self._ended.wait()
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Cut what came into packets; called by the event loop."""
        self._heard = time.monotonic()
        try:
            self.inbox.feed(data, time.time_ns())
        except wire.WireError as problem:
            self._lose(self._no_mqtt(problem))
            return
        if self.inbox.parser.control:
            self._control()
        if self.inbox.full and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop, once."""
        self._ended.set()
        answered = (wire.CONNACK, 0) not in self._answers
        self._lose(access.broken(self.broker.url, exc, answered=answered))

    def pause_writing(self) -> None:
        """Called by the event loop when the broker does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._writable.set()

    def _control(self) -> None:
        parser = self.inbox.parser
        packets, parser.control = parser.control, []
        for kind, body in packets:
            if kind == wire.DISCONNECT:
                self._lose(access.ended(self.broker.url, body[0] if body else 0))
            mid = int.from_bytes(body[:2]) if kind in {wire.SUBACK, wire.PUBACK} else 0
            answer = self._answers.get((kind, mid))
            if answer is not None and not answer.done():
                answer.set_result(body)

    def _no_mqtt(self, problem: Exception) -> SourceLost:
        return SourceLost(f"The broker {self.broker.url} sends what is no MQTT ({problem}): check the address.")

    def _expect(self, kind: int, mid: int) -> asyncio.Future[bytes]:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self.lost is not None:
            answer.set_exception(self.lost)
        self._answers[kind, mid] = answer
        return answer

    async def _answer(self, kind: int, mid: int) -> bytes:
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._expect(kind, mid)
        finally:
            self._answers.pop((kind, mid), None)

    def _keep_alive(self, seconds: float) -> None:
        if self.lost is None and not self._closing and seconds:
            self._beat = asyncio.get_running_loop().call_later(seconds / 2, self._ping, seconds)

    def _ping(self, seconds: float) -> None:
        silent = time.monotonic() - self._heard
        if silent > 0.9 * seconds and not self._paused:
            self._lose(
                SourceLost(f"The broker {self.broker.url} has been silent for {silent:.0f} s: the link is lost.")
            )
            return
        self._send(wire.PING)
        self._keep_alive(seconds)

    def _lose(self, why: SourceLost) -> None:
        if self.lost is not None:
            return
        self.lost = why
        self.inbox.close()
        self._writable.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(why)
        if self._transport is not None:
            self._transport.abort()

    async def _forget(self) -> None:
        """Be as new, for another attempt."""
        if self._transport is not None:
            self._transport.abort()
            await self._ended.wait()
        self.lost, self._transport = None, None
        self._writable.clear()
        self._ended.clear()

    def _next(self) -> int:
        while True:
            self._mid = self._mid % 65_535 + 1
            if (wire.PUBACK, self._mid) not in self._answers:
                return self._mid

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)
