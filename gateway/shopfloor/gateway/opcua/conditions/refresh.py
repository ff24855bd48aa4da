"""Having all retained conditions told anew: after every link, when the server asks for it, when a queue overflowed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.opcua.ending import end

_logger = logging.getLogger(__name__)
_TYPE: Final = ua.NodeId(ua.ObjectIds.ConditionType)
_REFRESH: Final = ua.NodeId(ua.ObjectIds.ConditionType_ConditionRefresh)
_REFRESH_2: Final = ua.NodeId(ua.ObjectIds.ConditionType_ConditionRefresh2)
_PAUSE_S: Final = 5.0
_LONGEST_S: Final = 300.0
"""Between two calls: a server that asks for a refresh in its refresh, or whose queue cannot hold one, is left alone."""
_BUSY_S: Final = 1.0
_TRIES: Final = 5


@dataclass(slots=True)
class Refreshing:
    """Calls ConditionRefresh of one subscription with these monitored `items`.

    `refused` is the answer of a server that does not do it.
    """

    refused: str = ""
    items: Sequence[int] = ()
    _session: UaSession | None = None
    _subscription: int = 0
    _due: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def sentence(self) -> str:
        """Why conditions are not told anew."""
        if not self.refused:
            return ""
        return f"The server does not tell standing conditions anew ({self.refused}): they are seen when they change."

    def begin(self, session: UaSession, subscription: int, items: Sequence[int]) -> None:
        """Another link, or another subscription with these monitored items: all is to be told."""
        self._session, self._subscription, self.items = session, subscription, items
        self.refused = ""
        self._due.set()

    def due(self) -> None:
        """Something may have been missed."""
        self._due.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Call when it is due, until the block is left."""
        task = asyncio.create_task(self._run(), name="condition refresh")
        try:
            yield
        finally:
            await end([task])

    async def _run(self) -> None:
        pause = Backoff(_PAUSE_S, _LONGEST_S)
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._refresh()
            except (ua.UaError, OSError, TimeoutError) as problem:
                _logger.debug("No refresh over a lost link: %s", problem)
                return
            if self.refused:
                return
            await asyncio.sleep(pause.next())
            if not self._due.is_set():
                pause.reset()

    async def _refresh(self) -> None:
        assert self._session is not None  # noqa: S101 (`begin` comes first)
        status = await told_anew(self._session, self._subscription, self.items)
        self.refused = ua.status_codes.get_name_and_doc(status)[0] if status else ""
        if self.refused:
            _logger.warning("%s", self.sentence)


async def told_anew(session: UaSession, subscription: int, items: Sequence[int]) -> int:
    """Ask for a refresh, by subscription, or item by item where the server knows only that; 0, or a bad StatusCode."""
    number = _uint32(subscription)
    status = await _call(session, _REFRESH, number)
    if status and items:
        answers = [await _call(session, _REFRESH_2, number, _uint32(item)) for item in items]
        status = next(filter(None, answers), 0)
    return status


async def _call(session: UaSession, method: ua.NodeId, *arguments: ua.Variant) -> int:
    """Call, again a little later while the server is busy with a refresh."""
    request = ua.CallMethodRequest()
    request.ObjectId, request.MethodId, request.InputArguments = _TYPE, method, list(arguments)
    for _ in range(_TRIES):
        (result,) = await session.call([request])
        status = int(result.StatusCode.value)
        if status != ua.StatusCodes.BadRefreshInProgress:
            break
        await asyncio.sleep(_BUSY_S)
    return status if status >> 31 else 0


def _uint32(value: int) -> ua.Variant:
    return ua.Variant(value, ua.VariantType.UInt32)
