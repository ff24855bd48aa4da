"""What a connection has received: messages that wait to be taken, and those that are taken and not acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from shopfloor.gateway.mqtt.wire import Message, Parser


@dataclass(slots=True)
class Inbox:
    """Collects messages, bounded by `limit` bytes: a full inbox asks for nothing more to be read.

    `window` is the most that the broker has ever sent without an acknowledgement: when that much waits, more will
    not come, and collecting ends. It begins at what the caller believes.
    """

    window: int = 20
    limit: int = 32_000_000
    parser: Parser = field(default_factory=lambda: Parser(5))
    _some: asyncio.Event = field(default_factory=asyncio.Event)
    _enough: asyncio.Event = field(default_factory=asyncio.Event)
    _handed: set[int] = field(default_factory=set)
    _bytes: int = 0
    _closed: bool = False

    def begin(self, version: int) -> None:
        """Begin with a new stream of bytes."""
        self.parser, self._closed = Parser(version, self._holds), False
        self._some.clear()
        self._enough.clear()

    def feed(self, data: bytes, now: int) -> None:
        """Take the next bytes of the stream."""
        self.parser.feed(data, now)
        if not self.parser.messages:
            return
        self._some.set()
        self._bytes += len(data)
        owed = self.parser.numbered + len(self._handed)
        if owed >= self.window:
            self.window = owed
            self._enough.set()
        if self.full:
            self._enough.set()

    @property
    def full(self) -> bool:
        """Whether nothing more should be read for now."""
        return self._bytes > self.limit

    def close(self) -> None:
        """Let go of who waits: nothing more comes."""
        self._closed = True
        self._some.set()
        self._enough.set()

    async def take(self, linger: float) -> list[Message]:
        """Wait for a message, then for more until `linger` s have passed; nothing at all when there is no more."""
        await self._some.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(linger):
                await self._enough.wait()
        parser = self.parser
        messages, parser.messages, parser.numbered = parser.messages, [], 0
        self._handed.update(message[2] for message in messages if message[2])
        self._bytes = 0
        if not self._closed:
            self._some.clear()
            self._enough.clear()
        return messages

    def acknowledge(self, messages: Sequence[Message]) -> list[int]:
        """The packet identifiers of messages that were taken, which are now free to be used again."""
        mids = [message[2] for message in messages if message[2]]
        self._handed.difference_update(mids)
        return mids

    def _holds(self, mid: int) -> bool:
        return mid in self._handed or any(message[2] == mid for message in self.parser.messages)
