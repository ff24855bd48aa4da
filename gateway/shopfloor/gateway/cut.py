"""A TCP link that can be cut, for tests and benchmarks of what an outage costs.

async with Cut("127.0.0.1", 4840) as link:
    ...                       # a client connects to 127.0.0.1:link.port
    link.drop()               # packets vanish both ways, connections stay open: a pulled cable
    await asyncio.sleep(30)
    link.reset()              # every connection ends with a reset, new ones pass: the switch is back
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Final, Self

_AT_ONCE: Final = struct.pack("ii", 1, 0)
_BLOCK: Final = 65_536


class Way(Enum):
    """What the link does with what comes."""

    PASS = "pass"  # noqa: S105 (no password)
    DROP = "drop"
    REFUSE = "refuse"


@dataclass(slots=True)
class Cut:
    """A proxy on `port` of the loopback to a server. Leaving the block ends every connection."""

    host: str
    target: int
    port: int = 0
    way: Way = Way.PASS
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Swallow every byte in both directions, and say nothing to new connections either."""
        self.way = Way.DROP

    def reset(self) -> None:
        """End every connection with a TCP reset; new ones pass."""
        self.way = Way.PASS
        for writer in list(self._writers):
            _reset(writer)

    async def refuse(self) -> None:
        """End every connection with a reset and take no new one."""
        self.reset()
        self.way = Way.REFUSE
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)

    async def accept(self) -> None:
        """Take connections again."""
        self.way = Way.PASS
        if self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._tracked(writer):
            if self.way is Way.DROP:
                await self._swallow(reader)
                return
            try:
                far_reader, far_writer = await asyncio.open_connection(self.host, self.target)
            except OSError:
                _reset(writer)
                return
            with self._tracked(far_writer):
                both = (self._pump(reader, far_writer), self._pump(far_reader, writer))
                await asyncio.gather(*both, return_exceptions=True)

    @contextmanager
    def _tracked(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        task = asyncio.current_task()
        self._writers.add(writer)
        if task is not None:
            self._tasks.add(task)
        try:
            yield
        finally:
            self._writers.discard(writer)
            if task is not None:
                self._tasks.discard(task)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_BLOCK):
                if self.way is not Way.DROP:
                    writer.write(data)
                    await writer.drain()
        if self.way is Way.DROP:
            return
        writer.close()

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while await reader.read(_BLOCK):
                pass


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with suppress(OSError, AttributeError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
