"""Live: stored values, alarms, predictions and health to every open page, each encoded once.

A client has a cursor, not a queue: what it has not read yet lies once in the ring, and a client that falls behind by
more than 256 kB gets a `gap` and refills over HTTP. Nobody waits for anybody. A client that comes back within a minute
says where it was, and goes on there.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch, Reader
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.live.clients import BEAT_S, Client
from shopfloor.services.live.pace import Pace
from shopfloor.services.live.ring import Ring, encode, frames
from shopfloor.services.live.rows import Table
from shopfloor.services.live.split import Marks
from shopfloor.services.live.states import StateTopic
from shopfloor.services.live.words import Subscribe, frame

TICK_S: Final = 0.1
STATE_S: Final = 1.0
_IMPORT_ROWS: Final = 5_000
_RECENT_NS: Final = 600 * 1_000_000_000
_HELLO_TAGS: Final = 500


class Live:
    """Fans out. `run` is a task of the server's loop; `add` may be called from any thread."""

    def __init__(self, reader: Reader, clock: Clock, states: Mapping[str, Callable[[], Any]]) -> None:
        self.boot = secrets.token_hex(8)
        self._reader, self._clock = reader, clock
        self._table, self._ring, self._marks = Table(), Ring(), Marks()
        self._providers = states
        self._topics = {name: StateTopic(name) for name in states}
        self._clients: set[Client] = set()
        self._lock = threading.Lock()
        self._arrived: list[Batch] = []
        self._came, self._ask = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, batch: Batch) -> None:
        """Take a stored batch. Of a large import only what is recent matters to an open page."""
        if len(batch) > _IMPORT_ROWS:
            recent = batch.time > self._clock() - _RECENT_NS
            if not recent.any():
                return
            batch = batch.take(recent)
        with self._lock:
            is_first, loop = not self._arrived, self._loop
            self._arrived.append(batch)
        if is_first and loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile
                loop.call_soon_threadsafe(self._came.set)

    @property
    def waiting(self) -> int:
        """Batches that nobody has seen yet."""
        return len(self._arrived)

    @property
    def topics(self) -> tuple[str, ...]:
        """The state topics that there are."""
        return tuple(self._providers)

    @property
    def clients(self) -> int:
        """How many pages and scripts are connected."""
        return len(self._clients)

    async def run(self) -> None:
        """Encode and ring until cancelled."""
        self._loop = asyncio.get_running_loop()
        self._came.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._run_values(), name="live values")
            tasks.create_task(self._run_states(), name="live states")

    @contextlib.contextmanager
    def joined(self) -> Iterator[Client]:
        """A client, until the block ends."""
        client = Client()
        self._clients.add(client)
        try:
            yield client
        finally:
            self._leave(client)
            self._clients.discard(client)

    async def next(self, client: Client) -> bytes:
        """The next frame of a client, as soon as there is one."""
        while True:
            data = client.next(self._ring, self._marks.split(), self._topics, self._now())
            if data is not None:
                client.heard = asyncio.get_running_loop().time()
                return data
            client.bell.clear()
            await client.bell.wait()

    async def subscribe(self, client: Client, wish: Subscribe) -> None:
        """Let a client see something else. What it has not read of the old is sent before; the new follows at once."""
        tags = tuple(dict.fromkeys(wish.tags))
        latest = await asyncio.to_thread(self._reader.latest, tags) if tags else None
        self._drain()
        resumes = wish.resume is not None and wish.resume.boot == self.boot and self._ring.holds(wish.resume.seq)
        self._finish(client, wish)
        indices = self._table.indices(tags)
        client.view = self._marks.open(tags, indices) if tags else None
        client.first.extend(self._hello(tags, indices, resumes=resumes))
        newest = self._table.latest(tags, latest)
        if resumes and wish.resume is not None:
            client.seq = wish.resume.seq
        else:
            client.seq = self._ring.head
            parts = [(self._ring.head, part) for part in encode(newest)]
            client.first.extend(data for _, data in frames(parts, self._now()))
        client.bell.set()
        self._ask.set()

    def _finish(self, client: Client, wish: Subscribe) -> None:
        """Send what is left of the old subscription, and keep the versions of the topics that stay."""
        client.take_values(self._ring, self._marks.split(), self._now())
        self._leave(client)
        client.period = 0.0 if wish.hz == 10 else 1.0 / wish.hz
        scope = None if wish.assets is None else tuple(sorted(set(wish.assets)))
        known = client.states if scope == client.scope else {}
        if wish.resume is not None and wish.resume.boot == self.boot:
            known = wish.resume.states
        client.scope = scope
        client.states = {name: known.get(name, -1) for name in dict.fromkeys(wish.topics)}

    def _hello(self, tags: tuple[str, ...], indices: NDArray[np.int32], *, resumes: bool) -> Iterator[bytes]:
        for start in range(0, max(len(tags), 1), _HELLO_TAGS):
            part = slice(start, start + _HELLO_TAGS)
            yield frame(
                "hello", time=self._now(), boot=self.boot, seq=self._ring.head, first=start == 0, resumed=resumes,
                tags=tags[part], i=indices[part].astype("<i4", copy=False).tobytes(),
            )  # fmt: skip

    def _leave(self, client: Client) -> None:
        if client.view is not None:
            self._marks.close(client.view)
            client.view = None

    async def _run_values(self) -> None:
        """A tick as soon as something came, and then at most ten each second."""
        loop, pace = asyncio.get_running_loop(), Pace(TICK_S)
        while True:
            await self._came.wait()
            await asyncio.sleep(pace.wait(loop.time()))
            self._came.clear()
            self._drain()

    def _drain(self) -> None:
        """Take what arrived, remember the newest of each tag, and ring."""
        with self._lock:
            arrived, self._arrived = self._arrived, []
        rows = self._table.take(arrived)
        if rows is None:
            return
        self._ring.append(rows, self._now())
        now = asyncio.get_running_loop().time()
        for client in self._clients:
            if client.view is not None:
                client.ring_at(now)

    async def _run_states(self) -> None:
        while True:
            await asyncio.sleep(STATE_S / 5)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ask.wait(), STATE_S * 4 / 5)
            self._ask.clear()
            for name in sorted({name for client in self._clients for name in client.states}):
                self._topics[name].show(await asyncio.to_thread(self._ask_provider, name))
            self._beat()

    def _ask_provider(self, name: str) -> Any:
        return self._topics[name].read(self._providers[name]())

    def _beat(self) -> None:
        """Wake whoever has something to read; tell whoever heard nothing that the server is alive."""
        now, beat = asyncio.get_running_loop().time(), frame("beat", time=self._now(), seq=self._ring.head)
        for client in self._clients:
            if not client.listens:
                continue
            if not client.first:
                client.take_values(self._ring, self._marks.split(), self._now())
            if not client.first and now - client.heard > BEAT_S - STATE_S / 5:
                client.first.append(beat)
            client.bell.set()

    def _now(self) -> float:
        return to_ms(self._clock())
