"""Errands: what people ask of a gateway through the server, fetched by the gateway itself.

A gateway opens no port. It asks the server what there is to do, does it, and sends back what it finds, part by part.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.server import Server, TokenRefused
from shopfloor.gateway.spool import Spool
from shopfloor.plant import RejectedError, ShopfloorError, SinkUnavailable

_logger = logging.getLogger(__name__)
_WAIT_S: Final = 20.0
_MOST: Final = 16
_TROUBLE: Final = (SinkUnavailable, TokenRefused, RejectedError)

Handler = Callable[[dict[str, Any]], AsyncGenerator[dict[str, Any], None]]
"""Answers one kind of errand: its body in, parts out; a `ShopfloorError` ends it with its sentence."""


@dataclass(slots=True)
class Errands:
    """Fetches errands and runs each as a task of its own."""

    spool: Spool
    server: Server
    handlers: Mapping[str, Handler]
    backoff: Backoff = field(default_factory=lambda: Backoff(0.5, 10.0))
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> None:
        """Fetch until cancelled. A server that does not listen is no reason to stop."""
        try:
            while True:
                await self._fetch()
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _fetch(self) -> None:
        try:
            answer = await self.server.take_errands(self.spool.id, _WAIT_S, list(self._running))
        except _TROUBLE:
            await asyncio.sleep(self.backoff.next())
            return
        self.backoff.reset()
        for number in answer.get("gone", ()):
            if task := self._running.get(number):
                task.cancel()
        for errand in answer.get("errands", ()):
            self._begin(errand["id"], errand["kind"], errand["body"])

    def _begin(self, number: str, kind: str, body: dict[str, Any]) -> None:
        task = asyncio.create_task(self._do(number, kind, body), name=f"errand {kind}")
        self._running[number] = task
        task.add_done_callback(lambda _: self._running.pop(number, None))

    async def _do(self, number: str, kind: str, body: dict[str, Any]) -> None:
        end: dict[str, Any] = {"done": True}
        try:
            await self._answer(number, kind, body)
        except _Gone:
            return
        except ShopfloorError as problem:
            end = {"error": str(problem)}
        except Exception:
            _logger.exception("The request %r failed", kind)
            end = {"error": f"The gateway failed at {kind!r}: its log says why."}
        try:
            await self.server.answer_errand(self.spool.id, number, [], end)
        except _TROUBLE as problem:
            _logger.debug("An answer did not reach the server: %s", problem)

    async def _answer(self, number: str, kind: str, body: dict[str, Any]) -> None:
        if len(self._running) > _MOST:
            raise SinkUnavailable(f"This gateway is busy with {_MOST} other requests: close one and try again.")
        handler = self.handlers.get(kind)
        if handler is None:
            known = ", ".join(sorted(self.handlers))
            raise ShopfloorError(f"This gateway knows no {kind!r}: update it, or ask for one of {known}.")
        async with aclosing(handler(body)) as parts:
            async for part in parts:
                if not await self.server.answer_errand(self.spool.id, number, [part], None):
                    raise _Gone


class _Gone(Exception):  # noqa: N818
    """Nobody waits for the answer any more."""
