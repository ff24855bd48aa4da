"""Publishing into a unified namespace: at its own pace, in its own task, never in the way of a source."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.mqtt import access
from shopfloor.gateway.mqtt.connection import Connection
from shopfloor.gateway.mqtt.wire import Hello, Will
from shopfloor.gateway.state import State
from shopfloor.gateway.uns.latest import Latest, payload
from shopfloor.plant import Batch, RejectedError, SourceLost
from shopfloor.plant.config import UnsSection
from shopfloor.plant.contracts import Plant

_logger = logging.getLogger(__name__)
_CHUNK: Final = 200
_FAREWELL_S: Final = 1.0


@dataclass(slots=True)
class Namespace:
    """Shows the last value of every tag under prefix/site/area/line/cell/asset/tag, retained, with QoS 1.

    `tap` is given every batch that was committed; it only notes the newest values. `run` publishes them, each tag at
    most once in `options.every`, and all of them again after a reconnect, as a broker may have forgotten. Whether
    this gateway is there is shown, retained, under prefix/_gateway/name; the broker itself says when it has gone.
    """

    options: UnsSection
    name: str
    plant: Plant
    state: State = State.STOPPED
    detail: str = ""
    published: int = 0
    backoff: Backoff = field(default_factory=Backoff)
    _latest: Latest = field(default_factory=Latest)
    _leaving: int = 0

    @property
    def presence(self) -> str:
        """The topic that says whether this gateway is there."""
        return f"{self.options.prefix}/_gateway/{self.name}"

    def tap(self, batch: Batch) -> None:
        """Note a batch that was committed."""
        self._latest.take(batch)

    async def run(self) -> None:
        """Publish until cancelled, through every lost link."""
        try:
            while True:
                self.state = State.CONNECTING if self.state is State.STOPPED else self.state
                try:
                    async with self._connected() as link:
                        await self._publish(link)
                except (SourceLost, RejectedError) as problem:
                    self._wait(str(problem))
                await asyncio.sleep(self.backoff.next())
        finally:
            self.state = State.STOPPED

    def report(self) -> dict[str, Any]:
        """State and counters, for the health of the gateway; `waiting` is all that the broker has not acknowledged."""
        return {
            "url": self.options.url,
            "prefix": self.options.prefix,
            "state": str(self.state),
            "detail": self.detail,
            "tags": len(self._latest.known),
            "waiting": self._latest.waiting + self._leaving,
            "published": self.published,
            "replaced": self._latest.replaced,
        }

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        link = Connection(self.options, self._hello())
        try:
            await link.connect()
            await link.publish([(self.presence, _presence("online"))], retain=True)
            self._latest.again(list(self._latest.known))
            if self.state is State.WAITING:
                _logger.warning("The unified namespace at %s is connected again.", self.options.url)
            self.state, self.detail = State.CONNECTED, ""
            yield link
        finally:
            with contextlib.suppress(SourceLost, RejectedError, TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await link.publish([(self.presence, _presence("offline"))], retain=True)
            await link.close()

    async def _publish(self, link: Connection) -> None:
        while True:
            began = time.monotonic()
            await self._send(link, self._latest.fresh())
            await self._pause(link, self.options.every - (time.monotonic() - began))

    async def _send(self, link: Connection, names: list[str]) -> None:
        try:
            while names:
                self._leaving = len(names)
                some = names[:_CHUNK]
                await link.publish([self._message(name) for name in some], retain=True)
                names = names[_CHUNK:]
                self.published += len(some)
                self.backoff.reset()
        finally:
            self._leaving = 0
            self._latest.again(names)

    async def _pause(self, link: Connection, seconds: float) -> None:
        """Wait, but not for a link that is gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0.01)):
                raise await link.gone()

    def _message(self, name: str) -> tuple[str, bytes]:
        tag = self.plant.tag(name)
        return f"{self.options.prefix}/{name}", payload(self._latest.known[name], tag.unit if tag else "")

    def _hello(self) -> Hello:
        options = self.options
        return Hello(
            options.client_id or f"shopfloor-uns-{self.name}",
            round(options.keepalive),
            user=options.user,
            password=access.password(options),
            will=Will(self.presence, _presence("offline")),
        )

    def _wait(self, sentence: str) -> None:
        if self.state is not State.WAITING or self.detail != sentence:
            _logger.warning("The unified namespace waits: %s", sentence)
        self.state, self.detail = State.WAITING, sentence


def _presence(state: str) -> bytes:
    return json.dumps({"state": state, "time": time.time_ns() // 1_000_000}).encode()
