"""The pipeline: runs the sources, commits what they hand over, reconnects, counts.

A source is asked for its next batch only after the last one is committed in the spool; that is the acknowledgement.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shopfloor.gateway.backoff import Backoff
from shopfloor.gateway.conform import Conform, entries
from shopfloor.gateway.spool import Committer, Entry
from shopfloor.gateway.state import SourceState, State
from shopfloor.plant import Batch, SinkUnavailable, Source, SourceLost
from shopfloor.plant.condition import is_conditions
from shopfloor.plant.config import WhenFull

_logger = logging.getLogger(__name__)
_BACKGROUND_BYTES: Final = 6_000_000
_ROOM_POLL_S: Final = 0.1


@dataclass(slots=True)
class Feed:
    """One source on its way into the spool. Each of the `taps` sees every batch of values that was committed."""

    source: Source
    state: SourceState
    committer: Committer
    conform: Conform
    backoff: Backoff = field(default_factory=Backoff)
    taps: Sequence[Callable[[Batch], None]] = ()

    async def run(self) -> None:
        """Read the source until it ends, through every lost link."""
        try:
            while not await self._attempt():
                self.state.reconnects += 1
                await asyncio.sleep(self.backoff.next(getattr(self.source, "retry_s", None)))
        finally:
            if self.state.state is not State.FINISHED:
                self.state.say(State.STOPPED)

    async def _attempt(self) -> bool:
        if self.state.state is not State.WAITING:
            self.state.say(State.CONNECTING)
        try:
            async with self.source.open() as batches:
                self._connected()
                await self._drain(batches)
        except SourceLost as lost:
            _stop_if_cancelled()
            self._waiting(str(lost))
            return False
        self.state.say(State.FINISHED)
        return True

    async def _drain(self, batches: AsyncIterator[Batch]) -> None:
        async for batch in batches:
            for part in self.conform(batch):
                await self._commit(part)
            self.backoff.reset()

    async def _commit(self, batch: Batch) -> None:
        if not len(batch):
            return
        for entry in entries(self.state.name, batch, getattr(self.source, "marks", None)):
            await self._safe(await self._room(entry))
        self.state.count(batch)
        if not is_conditions(batch.names[0]):
            for tap in self.taps:
                tap(batch)

    async def _room(self, entry: Entry) -> Entry:
        """The entry once there is room for it; without its data where the newest values are to be dropped."""
        spool, size = self.committer.spool, len(entry.data)
        if getattr(self.source, "background", False):
            while spool.bytes > min(_BACKGROUND_BYTES, spool.limit // 2):  # noqa: ASYNC110
                await asyncio.sleep(_ROOM_POLL_S / 5)
        if spool.has_room(size):
            return entry
        if spool.when_full is WhenFull.DROP_NEWEST:
            return replace(entry, data=b"")
        if spool.when_full is WhenFull.DROP_OLDEST:
            while not await self._dropped_oldest(size):  # noqa: ASYNC110 (until the forwarder lets go of what it holds)
                await asyncio.sleep(_ROOM_POLL_S)
        else:
            await self._wait_for_room(size)
        return entry

    async def _dropped_oldest(self, size: int) -> bool:
        try:
            return await asyncio.to_thread(self.committer.spool.make_room, size)
        except SinkUnavailable as problem:
            self._waiting(str(problem))
            return False

    async def _wait_for_room(self, size: int) -> None:
        spool = self.committer.spool
        self._waiting(
            f"The spool is full ({spool.bytes:,} of {spool.limit:,} bytes wait for the server): nothing more is taken"
            " from the device until the server answers; see the server's state, or give the spool a higher limit."
        )
        while not spool.has_room(size):  # noqa: ASYNC110 (freed in another thread)
            await asyncio.sleep(_ROOM_POLL_S)
        self._connected()

    async def _safe(self, entry: Entry) -> None:
        retry: Backoff | None = None
        while True:
            try:
                await self.committer.commit([entry])
            except SinkUnavailable as problem:
                self._waiting(str(problem))
                retry = retry or Backoff(0.2, 5.0)
                await asyncio.sleep(retry.next())
            else:
                break
        if self.state.state is State.WAITING:
            self._connected()

    def _connected(self) -> None:
        if self.state.state is State.WAITING:
            _logger.warning("%s: connected again.", self.state.name)
        self.state.say(State.CONNECTED)

    def _waiting(self, sentence: str) -> None:
        if self.state.state is not State.WAITING or self.state.detail != sentence:
            _logger.warning("%s: %s", self.state.name, sentence)
        self.state.say(State.WAITING, sentence)


def _stop_if_cancelled() -> None:
    """A library that answers a cancelled connection with its own error must not keep the gateway from stopping."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
