"""Asking for notifications and acknowledging them: an acknowledgement is sent only for what is committed.

Notifications lie in a bounded queue. When it is full no further publish request is sent, and the server's own queues
hold what comes; nothing that arrived here is ever discarded, and a lost link leaves it for the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.ask import Acknowledgement, publish
from shopfloor.gateway.opcua.ending import end
from shopfloor.gateway.opcua.link import explained
from shopfloor.gateway.opcua.subscribe import Subscribed
from shopfloor.gateway.opcua.wire import Notification, read_publish_response, read_republish_response
from shopfloor.plant import SourceLost

_logger = logging.getLogger(__name__)
_BOUND: Final = 400_000
_GRACE_S: Final = 3.0
_HOLE: Final = 1_000
_SPARE: Final = 2
_LOOK_S: Final = 0.05
_LAST: Final = 0xFFFF_FFFF


class _TooMany(Exception):  # noqa: N818
    """The server wants fewer publish requests outstanding: the others go on."""


def after(sequence: int) -> int:
    """The sequence number after this one: after the largest comes 1 (OPC 10000-4, 7.8).

    >>> after(7), after(0xFFFF_FFFF)
    (8, 1)
    """
    return 1 if sequence >= _LAST else sequence + 1


@dataclass(slots=True)
class Publisher:
    """The publish requests of one session.

    `following` is the next sequence to hand over, for each subscription. `hole` is set when the server no longer had
    a notification that was missed before those that `take` answers; `overtaken` counts them. `ended` is set when the
    server has ended a subscription. While `singly` is positive, notifications are handed over one by one.
    """

    url: str
    session: UaSession
    subscriptions: Sequence[Subscribed]
    following: dict[int, int] = field(default_factory=dict)
    received: list[Notification] = field(default_factory=list)
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    overtaken: int = 0
    hole: bool = False
    ended: bool = False
    singly: int = 0
    _values: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _woken: bool = False
    _heard: dict[int, float] = field(default_factory=dict)
    _awaited: set[int] = field(default_factory=set)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep some more publish requests than there are subscriptions outstanding."""
        now = asyncio.get_running_loop().time()
        self._heard = {one.id: now for one in self.subscriptions}
        self._room.set()
        self._tasks = [
            asyncio.create_task(self._ask(), name=f"publish {n}") for n in range(len(self.subscriptions) + _SPARE)
        ]
        self._tasks.append(asyncio.create_task(self._watch(), name="watchdog"))
        for task in self._tasks:
            task.add_done_callback(lambda _: self._arrived.set())
        try:
            yield
        finally:
            await end(self._tasks)

    async def recover(self) -> bool:
        """Fetch what a lost link left in the server; False when it no longer knows a subscription."""
        missing = {one.id: self.following.setdefault(one.id, 1) for one in self.subscriptions}
        for one in self.received:
            missing[one.subscription] = after(one.sequence)
        for number, sequence in missing.items():
            try:
                while found := await self._republish(number, sequence):
                    self._keep(found)
                    sequence = after(sequence)  # noqa: PLW2901
            except ua.uaerrors.BadSubscriptionIdInvalid:
                return False
        self.singly = 5 * len(self.subscriptions) + len(self.received)
        return True

    def wake(self) -> None:
        """Let `take` return, although nothing has arrived."""
        self._woken = True
        self._arrived.set()

    async def take(self) -> list[Notification]:
        """Every notification that waits, in order; `SourceLost` when the link is gone and nothing is left.

        They stay in `received` until `handed_over`. The answer is empty after `wake`, or when there is only a `hole`.
        """
        self.hole = False
        while not self.received and not self._woken:
            self._check()
            await self._arrived.wait()
            self._arrived.clear()
        self._woken = False
        ready = self.received[: await self._contiguous()]
        self.singly = max(0, self.singly - 1)
        return ready

    def handed_over(self, notifications: Sequence[Notification]) -> None:
        """These are committed: the server may forget them, and is told so with the next publish request."""
        del self.received[: len(notifications)]
        for one in notifications:
            self.following[one.subscription] = after(one.sequence)
            self.acknowledgements.append((one.subscription, one.sequence))
        self._values = sum(one.values for one in self.received)
        if self._values < _BOUND:
            self._room.set()

    async def caught_up(self) -> None:
        """Wait until all that the server had for each subscription before this moment is committed.

        A message that arrives after the answer to a request made now was sent after it, and holds what waited then.
        """
        await self.session.read_attributes([ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)], ua.AttributeIds.Value)
        self._awaited = {one.id for one in self.subscriptions}
        while self._awaited:
            self._check()
            await asyncio.sleep(_LOOK_S)
        waiting = {(one.subscription, one.sequence) for one in self.received}
        while waiting & {(one.subscription, one.sequence) for one in self.received}:
            self._check()
            await asyncio.sleep(_LOOK_S)

    async def _contiguous(self) -> int:
        """How many notifications can be handed over together; those that were missed are fetched in between."""
        expected = dict(self.following)
        index = 0
        while index < len(self.received) and not (self.singly and index):
            one = self.received[index]
            due = expected.get(one.subscription, one.sequence)
            if _behind(one.sequence, due) or (one.keep_alive and one.sequence == due):
                del self.received[index]
            elif one.sequence == due:
                expected[one.subscription] = after(due)
                index += 1
            elif (missed := await self._republish(one.subscription, due)) is not None:
                self.received.insert(index, missed)
            elif index:
                break
            else:
                expected[one.subscription] = self._give_up(one, due)
        return index

    def _give_up(self, one: Notification, due: int) -> int:
        """The server no longer has the notification `due` before `one`: the sequence to go on with."""
        self.hole = True
        going = after(due) if one.sequence - due <= _HOLE else one.sequence
        self.overtaken += max(1, going - due)
        self.following[one.subscription] = going
        _logger.warning("%s no longer has notification %d of %d.", self.url, due, one.subscription)
        return going

    async def _ask(self) -> None:
        while True:
            await self._room.wait()
            acks, self.acknowledgements = self.acknowledgements, []
            try:
                with explained(self.url):
                    notification = await self._publish(acks)
            except _TooMany:
                self.acknowledgements = [*acks, *self.acknowledgements]
                return
            except BaseException:
                self.acknowledgements = [*acks, *self.acknowledgements]
                raise
            self._receive(notification)

    async def _publish(self, acks: Sequence[Acknowledgement]) -> Notification:
        try:
            return read_publish_response(await publish(self.session, acks))
        except ua.uaerrors.BadTooManyPublishRequests as problem:
            raise _TooMany from problem
        except ua.uaerrors.BadNoSubscription:
            self.ended = True
            raise

    def _receive(self, notification: Notification) -> None:
        self._heard[notification.subscription] = asyncio.get_running_loop().time()
        self._awaited.discard(notification.subscription)
        if notification.status:
            self.ended = True
            raise SourceLost(f"The server {self.url} ended a subscription (0x{notification.status:08X}).")
        self._keep(notification)

    def _keep(self, notification: Notification) -> None:
        self.received.append(notification)
        self._values += notification.values
        if self._values >= _BOUND:
            self._room.clear()
        self._arrived.set()

    async def _republish(self, subscription: int, sequence: int) -> Notification | None:
        """The notification that was sent before, or None: some servers answer an empty one instead of a refusal."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = subscription
        request.Parameters.RetransmitSequenceNumber = sequence
        try:
            body = await self.session._send_request(request)  # noqa: SLF001
        except ua.uaerrors.BadMessageNotAvailable:
            return None
        found = read_republish_response(body, subscription)
        return None if found.keep_alive else found

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        allowed = {one.id: 1.5 * one.keep_alive + _GRACE_S for one in self.subscriptions}
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


def _behind(sequence: int, due: int) -> bool:
    """Whether this was handed over before: a server may send it again after a lost link."""
    return 0 < due - sequence <= _HOLE or (sequence > _LAST - _HOLE and due <= _HOLE)
