"""The contract of an MQTT subscriber: what the source needs of a connection to a broker, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shopfloor.gateway.mqtt.wire import Message


class Subscriber(Protocol):
    """One connection to one broker; a lost one is never mended, its successor is a new subscriber.

    - The session is persistent when asked for: the broker keeps it, and every QoS 1 message that was not
      acknowledged, while nobody is connected under its client identifier.
    - A message is acknowledged (PUBACK) by `acknowledge` and by nothing else: not on arrival, not on `close`.
    - Nothing is discarded: while too many bytes wait to be taken, the socket is not read, and the broker waits.
    - A message that the broker sends again before it was acknowledged is handed over once.
    """

    async def connect(self, topics: Sequence[str]) -> None:
        """Connect, log in and subscribe; `SourceLost` says why the broker cannot be used."""
        ...

    async def messages(self) -> list[Message]:
        """Wait for messages, collect more for a moment, and answer them in the order of their arrival.

        When the link is lost, what arrived before is answered first; then `SourceLost` is raised.
        """
        ...

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that it may forget these messages; harmless after the link is lost."""
        ...

    async def close(self) -> None:
        """Leave politely; the broker keeps a persistent session."""
        ...
