"""Messages on their way from the client's thread to the event loop, bounded by bytes."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple


class Message(NamedTuple):
    """One message as it came: `mid` and `qos` acknowledge it, `time` (UTC ns) is when it arrived."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    time: int


@dataclass(slots=True)
class Inbox:
    """A queue that blocks its writer thread when full, so that the broker waits; nothing is ever discarded.

    `arrived` is set by the first message and by the one that makes a `burst`.
    """

    loop: asyncio.AbstractEventLoop
    burst: int = 20
    limit: int = 32_000_000
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    lost: str = ""
    _messages: deque[Message] = field(default_factory=deque)
    _bytes: int = 0
    closed: bool = False
    _room: threading.Condition = field(default_factory=threading.Condition)

    def put(self, message: Message) -> None:
        """Take a message; called in the client's thread, which waits while the inbox is full."""
        with self._room:
            self._room.wait_for(lambda: self._bytes < self.limit or self.closed)
            if self.closed:
                return
            self._messages.append(message)
            self._bytes += len(message.payload)
            notable = len(self._messages) in {1, self.burst}
        if notable:
            self._wake()

    def lose(self, sentence: str) -> None:
        """Say that the link is gone; called in the client's thread."""
        if not self.closed:
            self.lost = self.lost or sentence
            self._wake()

    def close(self) -> None:
        """Let go of the client's thread."""
        with self._room:
            self.closed = True
            self._room.notify_all()

    def take(self) -> list[Message]:
        """Every message that is there."""
        with self._room:
            messages = list(self._messages)
            self._messages.clear()
            self._bytes = 0
            self._room.notify_all()
        return messages

    def __len__(self) -> int:
        return len(self._messages)

    def _wake(self) -> None:
        self.loop.call_soon_threadsafe(self.arrived.set)
