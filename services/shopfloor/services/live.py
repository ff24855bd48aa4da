"""Live: stored values, alarms, predictions and health to every open page, each encoded once.

A client has a cursor, not a queue: what it has not read yet lies once in the ring of its topic, and a client that
falls behind by more than 256 kB gets a `gap` and refills over HTTP. Nobody waits for anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from shopfloor.plant import Batch, Reader
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.rows import Table
from shopfloor.services.topic import StateTopic, ValueTopic
from starlette.websockets import WebSocket, WebSocketDisconnect

TICK_S: Final = 0.2
STATE_S: Final = 1.0
MOST_TAGS: Final = 5_000
_IMPORT_ROWS: Final = 5_000
_RECENT_NS: Final = 600 * 1_000_000_000


class Subscribe(msgspec.Struct):
    """What a page wants to see."""

    tags: list[str] = []
    topics: list[str] = []


class Message(msgspec.Struct):
    """What a page may say."""

    subscribe: Subscribe


@dataclass(eq=False)
class Client:
    """One open page: its topics, how far it has read each, and the bell that says there is more."""

    values: ValueTopic | None = None
    offset: int = 0
    first: list[bytes] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self, states: Mapping[str, StateTopic]) -> bytes | None:
        """The next frame to send, or None when the client has all."""
        if self.first:
            return self.first.pop(0)
        for name, version in self.states.items():
            if states[name].version != version and states[name].frame:
                self.states[name] = states[name].version
                return states[name].frame
        if self.values is None or self.offset == self.values.head:
            return None
        frame, self.offset = self.values.after(self.offset)
        return frame


class Live:
    """Fans out. `run` is a task of the server's loop; `add` may be called from any thread."""

    def __init__(self, reader: Reader, clock: Clock, states: Mapping[str, Callable[[], Any]]) -> None:
        self._reader, self._clock = reader, clock
        self._table = Table()
        self._providers = states
        self._states = {name: StateTopic(name) for name in states}
        self._topics: dict[tuple[str, ...], ValueTopic] = {}
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        self._arrived: list[Batch] = []
        self._ask = asyncio.Event()

    def add(self, batch: Batch) -> None:
        """Take a stored batch. Of a large import only what is recent matters to an open page."""
        if len(batch) > _IMPORT_ROWS:
            recent = batch.time > self._clock() - _RECENT_NS
            if not recent.any():
                return
            batch = batch.take(recent)
        with self._lock:
            self._arrived.append(batch)

    @property
    def waiting(self) -> int:
        """Batches that no topic has seen yet."""
        return len(self._arrived)

    async def run(self) -> None:
        """Encode and ring until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_values(), name="live values")
            tasks.create_task(self._run_states(), name="live states")

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it leaves."""
        await socket.accept()
        client = Client()
        self._clients.add(client)
        sender = asyncio.create_task(self._send(socket, client), name="live sender")
        try:
            async for text in socket.iter_text():
                if (problem := await self._hear(client, text)) is not None:
                    await socket.close(1007, problem)
                    return
        except WebSocketDisconnect:
            pass
        finally:
            self._leave(client)
            self._clients.discard(client)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, socket: WebSocket, client: Client) -> None:
        try:
            while True:
                await client.bell.wait()
                client.bell.clear()
                while (frame := client.next(self._states)) is not None:
                    await socket.send_bytes(frame)
        except (WebSocketDisconnect, RuntimeError):
            return

    async def _hear(self, client: Client, text: str) -> str | None:
        """Act on a message; returns what is wrong with it."""
        try:
            wish = msgspec.json.decode(text, type=Message).subscribe
        except msgspec.MsgspecError:
            return 'Expected {"subscribe": {"tags": [...], "topics": [...]}}.'
        if len(wish.tags) > MOST_TAGS:
            return f"{len(wish.tags)} tags are too many for one page: at most {MOST_TAGS}."
        unknown = sorted(set(wish.topics) - set(self._states))
        if unknown:
            return f"Unknown topic {unknown[0][:40]!r}: known are {', '.join(self._states)}."
        await self._join(client, tuple(dict.fromkeys(wish.tags)), wish.topics)
        return None

    async def _join(self, client: Client, tags: tuple[str, ...], topics: Iterable[str]) -> None:
        latest = await asyncio.to_thread(self._reader.latest, tags) if tags else None
        self._drain()
        self._leave(client)
        topic = self._topics.get(tags) or ValueTopic(tags, self._table.indices(tags))
        self._topics[tags] = topic
        topic.clients += 1
        client.values, client.offset = topic, topic.head
        client.first = [
            msgspec.msgpack.encode({"k": "hello", "time": to_ms(self._clock()), "tags": tags}),
            *topic.encode(self._table.latest(tags, latest), to_ms(self._clock())),
        ]
        client.states = dict.fromkeys(topics, -1)
        self._ask.set()
        client.bell.set()

    def _leave(self, client: Client) -> None:
        if client.values is not None:
            client.values.clients -= 1
            if not client.values.clients:
                self._topics.pop(client.values.tags, None)
            client.values = None

    async def _run_values(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._drain()

    def _drain(self) -> None:
        """Take what arrived, remember the newest of each tag, and append to every topic."""
        with self._lock:
            arrived, self._arrived = self._arrived, []
        rows = self._table.take(arrived)
        if rows is None:
            return
        now = to_ms(self._clock())
        grown = {topic for topic in self._topics.values() if topic.append(rows, now)}
        for client in self._clients:
            if client.values in grown:
                client.bell.set()

    async def _run_states(self) -> None:
        while True:
            await asyncio.sleep(STATE_S / 5)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ask.wait(), STATE_S * 4 / 5)
            self._ask.clear()
            wanted = {name for client in self._clients for name in client.states}
            for name in sorted(wanted):
                self._states[name].show(await asyncio.to_thread(self._providers[name]))
            for client in self._clients:
                if any(self._states[name].version != seen for name, seen in client.states.items()):
                    client.bell.set()
