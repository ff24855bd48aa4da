"""Committing to the spool: one writer, one transaction for all sources that wait (group commit)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue

from shopfloor.gateway.spool.rows import Entry
from shopfloor.gateway.spool.spool import Spool

_Waiting = list[tuple[Sequence[Entry], "asyncio.Future[None]"]]


@dataclass(slots=True)
class Committer:
    """Makes entries durable. `committed` is set after every commit: the forwarder waits for it.

    The writer is a thread of its own, with one queue and one call back: a pool costs more than the commit prepares.
    """

    spool: Spool
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    _line: _Waiting = field(default_factory=list)
    _work: SimpleQueue[_Waiting | None] = field(default_factory=SimpleQueue)
    _free: bool = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commit what comes until the block is left; the last commit is finished first."""
        writer = threading.Thread(target=self._write, args=(asyncio.get_running_loop(),), name="spool")
        writer.start()
        self._free = True
        self._next()
        try:
            yield
        finally:
            self._free = False
            self._work.put(None)
            writer.join()

    async def commit(self, entries: Sequence[Entry]) -> None:
        """Return when the entries are on disk; `SinkUnavailable` means that none of them is."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((entries, done))
        self._next()
        await done

    def _next(self) -> None:
        """Let the writer take all that waits, unless it is at work."""
        if self._free and self._line:
            waiting, self._line, self._free = self._line, [], False
            self._work.put(waiting)

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        while (waiting := self._work.get()) is not None:
            problem: Exception | None = None
            try:
                self.spool.append([entry for some, _ in waiting for entry in some])
            except Exception as refused:  # noqa: BLE001 (whoever waits is told, and judges it)
                problem = refused
            loop.call_soon_threadsafe(self._done, waiting, problem)

    def _done(self, waiting: _Waiting, problem: Exception | None) -> None:
        for _, done in waiting:
            if done.done():
                continue
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)
        self.committed.set()
        self._free = True
        self._next()
