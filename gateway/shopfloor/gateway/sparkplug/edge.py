"""Our own Sparkplug edge node: the accepted values of the plant for any other host application.

Source: Sparkplug 3.0, chapters 4 to 6. Values that cannot be sent lie in a file and go out later as historical ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import DecodeError
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.mqtt import access
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.wire import Hello, Message, Will
from shopfloor.gateway.sparkplug.backlog import Backlog
from shopfloor.gateway.sparkplug.metrics import (
    REBIRTH,
    Metrics,
    by_device,
    data,
    device_birth,
    node_birth,
    node_death,
    value_in,
)
from shopfloor.gateway.sparkplug.payload import Payload
from shopfloor.gateway.sparkplug.topics import Topic, read_state, state_topic
from shopfloor.gateway.state import State
from shopfloor.plant import Batch, Outcome, RejectedError, Setpoint, SourceLost
from shopfloor.plant.config import SparkplugSection

_logger = logging.getLogger(__name__)
_MOST: Final = 500
_PIECE: Final = 20
_TICK_S: Final = 0.1
_FAREWELL_S: Final = 1.0
Write = Callable[[Setpoint], Awaitable[Outcome]]


class _HostGone(Exception):  # noqa: N818 (a state of the world)
    """The primary host application is offline."""


@dataclass(slots=True)
class EdgeNode:
    """Publishes what `tap` is given. Commands go to `write`; without it they are refused.

    With a `primary_host` nothing is sent until that host says that it is online, and what comes meanwhile is kept in
    a file of `folder`, oldest dropped first when it is full.
    """

    options: SparkplugSection
    name: str
    folder: Path
    metrics: Metrics
    write: Write | None = None
    state: State = State.STOPPED
    detail: str = ""
    published: int = 0
    refused: int = 0
    backoff: Backoff = field(default_factory=Backoff)
    _fresh: list[Batch] = field(default_factory=list)
    _recent: deque[tuple[float, Batch]] = field(default_factory=deque)
    _unborn: set[str] = field(default_factory=set)
    _backlog: Backlog | None = None
    _bdseq: int = 0
    _seq: int = 0
    _born: bool = False
    _host: tuple[bool, int] = (False, -1)
    _rebirth: bool = False
    _rebirth_at: float = 0.0
    _passing: set[asyncio.Task[None]] = field(default_factory=set)

    def tap(self, batch: Batch) -> None:
        """Note a batch that was committed."""
        self._unborn |= self.metrics.take(batch)
        self._fresh.append(batch)

    def report(self) -> dict[str, Any]:
        """State and counters, for the health of the gateway."""
        backlog = self._backlog
        return {
            "url": self.options.url,
            "state": str(self.state),
            "detail": self.detail,
            "tags": len(self.metrics.by_path),
            "published": self.published,
            "waiting_bytes": backlog.bytes if backlog else 0,
            "dropped": backlog.dropped if backlog else 0,
            "refused": self.refused,
        }

    async def run(self) -> None:
        """Be an edge node until cancelled, through every lost link."""
        file = self.folder / f"sparkplug-{self.options.group}-{self.node}.sqlite"
        with Backlog.open(file, self.options.keep) as backlog:
            self._backlog = backlog
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._keep_all())
                    group.create_task(self._serve_all())
            finally:
                self._keep()
                self.state, self._backlog = State.STOPPED, None

    @property
    def node(self) -> str:
        """The edge node id."""
        return self.options.node or self.name

    async def _keep_all(self) -> None:
        while True:
            if not self._born:
                self._keep()
            await asyncio.sleep(_TICK_S)

    def _keep(self) -> None:
        if self._fresh and self._backlog is not None:
            batches, self._fresh = self._fresh, []
            self._backlog.put(batches)

    async def _serve_all(self) -> None:
        while True:
            self.state = State.CONNECTING if self.state is State.STOPPED else self.state
            try:
                async with self._connected() as link:
                    while True:
                        await self._serve(link)
            except _HostGone:
                continue
            except (SourceLost, RejectedError) as problem:
                self._wait(str(problem))
            await asyncio.sleep(self.backoff.next())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        assert self._backlog is not None  # noqa: S101 (run has opened it)
        self._bdseq = self._backlog.next_bdseq()
        link = Connection(self.options, self._hello(), linger=0.01)
        try:
            await link.connect(self._topics())
            self._host = (self.options.primary_host is None, -1)
            yield link
        finally:
            if self._born:
                self._unsend(doubtful=link.lost is not None or not self._host[0])
                with contextlib.suppress(SourceLost, RejectedError, TimeoutError):
                    async with asyncio.timeout(_FAREWELL_S):
                        await link.publish([(self._topic("NDEATH"), node_death(self._bdseq))], qos=1)
            await link.close()

    def _unsend(self, *, doubtful: bool) -> None:
        """What was sent just before the link broke may not have arrived: it is sent again, as history."""
        self._born = False
        if self._backlog is not None and doubtful:
            self._backlog.put([batch for _, batch in self._recent])
        self._recent.clear()

    async def _serve(self, link: Connection) -> None:
        for message in await _arrived(link):
            self._hear(link, message)
        if not self._born:
            if self._host[0]:
                await self._be_born(link)
            else:
                self._wait(f"The primary host application {self.options.primary_host} is not online: values are kept.")
        elif self._rebirth and time.monotonic() >= self._rebirth_at:
            await self._be_born(link)
        else:
            await self._send_all(link)

    def _hear(self, link: Connection, message: Message) -> None:
        name, body, _, _ = message
        link.acknowledge([message])
        topic = name.decode(errors="replace")
        if self.options.primary_host is not None and topic == state_topic(self.options.primary_host):
            self._hear_host(body)
            return
        read = Topic.parse(topic)
        if read is None:
            return
        try:
            payload = Payload.FromString(body)
        except DecodeError:
            return
        for metric in payload.metrics:
            if read.verb == "NCMD" and metric.name == REBIRTH:
                self._rebirth |= metric.boolean_value
            else:
                self._command(read.device, metric)

    def _hear_host(self, body: bytes) -> None:
        """Believe the newest STATE only: an older one comes late, from a session that has ended."""
        said = read_state(body)
        if said is None or said[1] < self._host[1]:
            return
        self._host = said
        if self._born and not said[0]:
            raise _HostGone

    def _command(self, device: str, metric: Any) -> None:
        known = self.metrics.find(device, metric)
        value = value_in(metric, known) if known is not None else None
        if known is None or value is None or self.write is None:
            self.refused += 1
            _logger.warning("A Sparkplug command to %s was refused.", known.path if known else device or self.node)
            return
        task = asyncio.create_task(self._pass_on(self.write, Setpoint(known.path, value)))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _pass_on(self, write: Write, setpoint: Setpoint) -> None:
        """Let a command take its time: values go out meanwhile."""
        outcome = await write(setpoint)
        if outcome.status >> 31:
            self.refused += 1
            _logger.warning("A Sparkplug command to %s was refused: %s", setpoint.tag, outcome.sentence)

    async def _be_born(self, link: Connection) -> None:
        """Tell everything that can be told; the values that came meanwhile follow as data."""
        self._rebirth, self._rebirth_at = False, time.monotonic() + self.options.rebirth_every
        self._seq, self._unborn = 1, set()
        births = [(self._topic("NBIRTH"), node_birth(self._bdseq))]
        births += [self._device_birth(device) for device in self.metrics.devices]
        await link.publish(births, qos=0)
        self._born = True
        self.state, self.detail = State.CONNECTED, ""
        self.backoff.reset()

    def _device_birth(self, device: str) -> tuple[str, bytes]:
        return self._topic("DBIRTH", device), device_birth(self.metrics.devices[device], self._next())

    async def _send_all(self, link: Connection) -> None:
        assert self._backlog is not None  # noqa: S101 (run has opened it)
        unborn, self._unborn = self._unborn, set()
        await link.publish([self._device_birth(device) for device in sorted(unborn)], qos=0)
        batches, self._fresh = self._fresh, []
        for batch in batches:
            await self._send(link, batch, historical=False)
        for number, batch in self._backlog.oldest(_PIECE):
            await self._send(link, batch, historical=True)
            self._backlog.forget(number)
        edge = time.monotonic() - 2 * self.options.keepalive
        while self._recent and self._recent[0][0] < edge:
            self._recent.popleft()

    async def _send(self, link: Connection, batch: Batch, *, historical: bool) -> None:
        self.metrics.take(batch)
        self._recent.append((time.monotonic(), batch))
        messages = [
            (self._topic("DDATA", device), data(samples, self._next(), historical=historical))
            for device, samples in by_device(batch, self.metrics, _MOST)
        ]
        await link.publish(messages, qos=0)
        self.published += len(batch)

    def _next(self) -> int:
        seq, self._seq = self._seq, (self._seq + 1) % 256
        return seq

    def _topic(self, verb: str, device: str = "") -> str:
        return str(Topic(self.options.group, verb, self.node, device))

    def _topics(self) -> list[str]:
        host = self.options.primary_host
        states = [state_topic(host)] if host is not None else []
        return [*states, self._topic("NCMD"), self._topic("DCMD", "+")]

    def _hello(self) -> Hello:
        options = self.options
        client = options.client_id or f"shopfloor-node-{self.name}"
        will = Will(self._topic("NDEATH"), node_death(self._bdseq), retain=False)
        secret = access.password(options)
        return Hello(client, round(options.keepalive), user=options.user, password=secret, will=will)

    def _wait(self, sentence: str) -> None:
        if self.state is not State.WAITING or self.detail != sentence:
            _logger.warning("The Sparkplug node waits: %s", sentence)
        self.state, self.detail = State.WAITING, sentence


async def _arrived(link: Connection) -> list[Message]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TICK_S):
            return await link.messages()
    return []
