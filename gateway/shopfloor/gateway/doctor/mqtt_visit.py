"""One short MQTT connection that keeps what a gateway's own does not need: which messages the broker had kept."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Final

from shopfloor.gateway.doctor.finding import Subject
from shopfloor.gateway.doctor.network import hang_up
from shopfloor.gateway.mqtt import wire
from shopfloor.gateway.mqtt.options import MqttOptions

ANSWER_S: Final = 4.0
_RETAINED: Final = 0x01


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of QoS 0. `kept`: the broker had it from before."""

    topic: bytes
    payload: bytes
    kept: bool


@dataclass(slots=True)
class Visit:
    """A connection under way: packets that wait to be asked for, and messages."""

    subject: Subject
    options: MqttOptions
    version: int
    control: list[tuple[int, bytes]] = field(default_factory=list)
    messages: list[Heard] = field(default_factory=list)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None
    _rest: bytes = b""

    async def dial(self, context: ssl.SSLContext | None) -> None:
        """Open the connection."""
        name = self.subject.host if context else None
        async with asyncio.timeout(ANSWER_S):
            self._reader, self._writer = await asyncio.open_connection(
                self.subject.host, self.subject.port, ssl=context, server_hostname=name
            )

    async def ask(self, packet: bytes, kind: int) -> bytes | None:
        """The body of the answer of this kind; None when the broker hangs up, `TimeoutError` when it is silent."""
        if self._writer is None:
            return None
        self._writer.write(packet)
        async with asyncio.timeout(ANSWER_S):
            while True:
                found = [body for name, body in self.control if name == kind]
                if found:
                    self.control.clear()
                    return found[0]
                if not await self.listen():
                    return None

    async def listen(self) -> bool:
        """Take what came; False when the broker has hung up."""
        data = await self._reader.read(65_536) if self._reader else b""
        self._rest += data
        while len(self._rest) > 1:
            size, start = wire.length(self._rest, 1)
            if size < 0 or len(self._rest) < start + size:
                break
            self._take(self._rest[0], self._rest[start : start + size])
            self._rest = self._rest[start + size :]
        return bool(data)

    def _take(self, head: int, body: bytes) -> None:
        if head >> 4 != wire.PUBLISH:
            self.control.append((head >> 4, body))
            return
        end = 2 + int.from_bytes(body[:2])
        start = wire.properties(body, end)[1] if self.version == wire.V5 else end
        self.messages.append(Heard(body[2:end], body[start:], bool(head & _RETAINED)))

    async def leave(self) -> None:
        """Say goodbye."""
        if self._writer is not None:
            self._writer.write(wire.GOODBYE)
            await hang_up(self._writer)
        self._reader = self._writer = None
        self._rest = b""
