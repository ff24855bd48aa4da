"""Asking for notifications and acknowledging them: an acknowledgement is sent only for what is committed.

Notifications lie in a bounded queue. When it is full no further publish request is sent, and the server's own queues
hold what comes; nothing that arrived here is ever discarded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.common.utils import Buffer
from shopfloor.gateway.opcua.link import explained
from shopfloor.gateway.opcua.subscribe import Subscribed
from shopfloor.gateway.opcua.wire import Notification, read_publish_response, read_republish_response
from shopfloor.plant import SourceLost

_logger = logging.getLogger(__name__)
_BOUND: Final = 400_000
_GRACE_S: Final = 4.0


class _TooMany(Exception):  # noqa: N818
    """The server wants fewer publish requests outstanding: the others go on."""


@dataclass(slots=True)
class Publisher:
    """The publish requests of one session. `overtaken` counts notifications that the server no longer had."""

    url: str
    session: UaSession
    subscriptions: Sequence[Subscribed]
    overtaken: int = 0
    _acks: list[ua.SubscriptionAcknowledgement] = field(default_factory=list)
    _queue: list[Notification] = field(default_factory=list)
    _values: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _heard: dict[int, float] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep one publish request more than there are subscriptions outstanding."""
        now = asyncio.get_running_loop().time()
        self._heard = {one.id: now for one in self.subscriptions}
        self._room.set()
        self._tasks = [
            asyncio.create_task(self._ask(), name=f"publish {n}") for n in range(len(self.subscriptions) + 1)
        ]
        self._tasks.append(asyncio.create_task(self._watch(), name="watchdog"))
        for task in self._tasks:
            task.add_done_callback(lambda _: self._arrived.set())
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self) -> list[Notification]:
        """Every notification that waits; `SourceLost` when the link is gone and nothing is left."""
        while not self._queue:
            self._check()
            await self._arrived.wait()
            self._arrived.clear()
        taken = self._queue[:]
        self._queue.clear()
        self._values = 0
        self._room.set()
        return await self._complete(taken)

    def acknowledge(self, notifications: Sequence[Notification]) -> None:
        """Let the server forget these; it is told with the next publish request."""
        for one in notifications:
            ack = ua.SubscriptionAcknowledgement()
            ack.SubscriptionId, ack.SequenceNumber = one.subscription, one.sequence
            self._acks.append(ack)

    async def _ask(self) -> None:
        while True:
            await self._room.wait()
            request = ua.PublishRequest()
            request.Parameters.SubscriptionAcknowledgements, self._acks = self._acks, []
            try:
                with explained(self.url):
                    body = await self._send(request)
            except _TooMany:
                self._acks = [*request.Parameters.SubscriptionAcknowledgements, *self._acks]
                return
            with explained(self.url):
                self._receive(read_publish_response(body))

    async def _send(self, request: ua.PublishRequest) -> Buffer:
        try:
            return await self.session._send_request(request, timeout=0)  # noqa: SLF001 (the one seam asyncua has)
        except ua.uaerrors.BadTooManyPublishRequests as problem:
            raise _TooMany from problem

    def _receive(self, notification: Notification) -> None:
        self._heard[notification.subscription] = asyncio.get_running_loop().time()
        if notification.status:
            raise SourceLost(f"The server {self.url} ended a subscription (0x{notification.status:08X}).")
        if notification.keep_alive:
            return
        self._queue.append(notification)
        self._values += notification.values
        if self._values >= _BOUND:
            self._room.clear()
        self._arrived.set()

    async def _complete(self, notifications: list[Notification]) -> list[Notification]:
        whole: list[Notification] = []
        for one in notifications:
            for missed in range(self._next.get(one.subscription, one.sequence), one.sequence):
                whole.extend(await self._republish(one.subscription, missed))
            self._next[one.subscription] = one.sequence + 1
            whole.append(one)
        return whole

    async def _republish(self, subscription: int, sequence: int) -> list[Notification]:
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = subscription
        request.Parameters.RetransmitSequenceNumber = sequence
        try:
            body = await self.session._send_request(request)  # noqa: SLF001
        except ua.uaerrors.BadMessageNotAvailable:
            self.overtaken += 1
            _logger.warning("%s no longer has notification %d of %d.", self.url, sequence, subscription)
            return []
        return [read_republish_response(body, subscription)]

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        allowed = {one.id: 2 * one.keep_alive + _GRACE_S for one in self.subscriptions}
        while True:
            await asyncio.sleep(0.5)
            for number, heard in self._heard.items():
                if not self._room.is_set():
                    self._heard[number] = loop.time()
                elif loop.time() - heard > allowed.get(number, 60.0):
                    raise SourceLost(f"{self.url} is connected but has sent nothing for {loop.time() - heard:.0f} s.")

    def _check(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                problem = task.exception()
                if problem is not None:
                    raise problem
