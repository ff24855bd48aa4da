"""A uvicorn server that ends when it is told to: uvicorn looks ten times a second, and waits a tenth of one more."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

import uvicorn


class PromptServer(uvicorn.Server):
    """Runs in a thread from `start` to `stop`."""

    def start(self, *sockets: socket.socket) -> None:
        """Return as soon as it answers."""
        self._answers, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self.run, args=([*sockets] or None,), daemon=True)
        self._thread.start()
        assert self._answers.wait(10)

    def stop(self) -> None:
        """Return when it has ended."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answers.set()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._end.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for one in [*self.servers, *(sockets or [])]:
            one.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0.005)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wait_tasks_to_complete(), self.config.timeout_graceful_shutdown)
        for task in self.server_state.tasks:
            task.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()
