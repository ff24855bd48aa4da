"""Committing to the spool: one writer, one transaction for all sources that wait (group commit)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from shopfloor.gateway.spool.rows import Entry
from shopfloor.gateway.spool.spool import Spool
from shopfloor.plant import SinkUnavailable


@dataclass(slots=True)
class Committer:
    """Makes entries durable. `committed` is set after every commit: the forwarder waits for it."""

    spool: Spool
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    _line: asyncio.Queue[tuple[Sequence[Entry], asyncio.Future[None]]] = field(default_factory=asyncio.Queue)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commit what comes until the block is left; the last commit is finished first."""
        with ThreadPoolExecutor(1, "spool") as thread:
            task = asyncio.create_task(self._run(thread), name="commit")
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def commit(self, entries: Sequence[Entry]) -> None:
        """Return when the entries are on disk; `SinkUnavailable` means that none of them is."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.put_nowait((entries, done))
        await done

    async def _run(self, thread: ThreadPoolExecutor) -> None:
        while True:
            waiting = [await self._line.get()]
            while not self._line.empty():
                waiting.append(self._line.get_nowait())
            entries = [entry for some, _ in waiting for entry in some]
            problem: SinkUnavailable | None = None
            try:
                await asyncio.get_running_loop().run_in_executor(thread, self.spool.append, entries)
            except SinkUnavailable as refused:
                problem = refused
            for _, done in waiting:
                if done.done():
                    continue
                if problem is None:
                    done.set_result(None)
                else:
                    done.set_exception(problem)
            self.committed.set()
