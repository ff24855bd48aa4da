"""A child process: started on a leash, read line by line into a log, restarted with back-off when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

import psutil

LEASH: Final = Path(__file__).with_name("leash.py")
FIRST_S: Final = 0.2
LONGEST_S: Final = 10.0
SETTLED_S: Final = 30.0
CRASHES: Final = 3
REFUSED: Final = 2
"""Exit code of a command that could not be done, as its last line says."""
REFUSED_S: Final = 10.0
_LOG_BYTES: Final = 5_000_000
_LINE: Final = 4_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start: `kind` is broker, simulator, gateway or server."""

    name: str
    kind: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """Keeps one process running until `stop`. `say` gets a sentence when it keeps dying.

    `give_up` gets one when it refuses to start, time and again, before it was ever ready: trying on would not help.
    """

    def __init__(
        self, plan: Plan, logs: Path, say: Callable[[str], None], give_up: Callable[[str], None] | None = None
    ) -> None:
        self.plan, self._say, self._give_up = plan, say, give_up or say
        self._began = 0.0
        self._file = logs / f"{plan.name}.log"
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._watched: psutil.Process | None = None
        self._exits: deque[float] = deque(maxlen=CRASHES)
        self.state = "starting"
        self.last_line = ""
        self.ready: asyncio.Event = asyncio.Event()
        self.announced: dict[str, Any] = {}

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def keep(self) -> None:
        """Start, and start again whenever it ends, until `stop`."""
        pause, self._began = FIRST_S, time.monotonic()
        with contextlib.closing(self._open_log()) as log:
            while not self._stopping:
                began = time.monotonic()
                code = await self._live(log)
                if self._stopping:
                    break
                self.state = "restarting"
                log.emit(_record(f"--- ended with {code}; starting again in {pause:.1f} s"))
                self._complain(code)
                pause = FIRST_S if time.monotonic() - began > SETTLED_S else pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_S)
        self.state = "stopped"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all it has started; with SIGTERM it is not started again."""
        self._stopping = True
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def figures(self) -> dict[str, Any]:
        """What the health page shows: state, memory and use of the processor, with all it has started."""
        row: dict[str, Any] = {
            "name": self.plan.name,
            "kind": self.plan.kind,
            "state": self.state,
            "pid": self.pid,
            "rss_bytes": None,
            "cpu_percent": None,
            "detail": self.last_line if self.state == "restarting" else "",
        }
        if self._watched is not None:
            with contextlib.suppress(psutil.Error):
                family = self._watched.children(recursive=True)
                row["rss_bytes"] = sum(p.memory_info().rss for p in [self._watched, *family])
                row["cpu_percent"] = self._watched.cpu_percent()
        return row

    async def _live(self, log: RotatingFileHandler) -> int:
        """One life, from start to end; returns its exit code."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *self.plan.command,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.plan.environment}, start_new_session=True,
        )  # fmt: skip
        self.state = "running"
        with contextlib.suppress(psutil.Error):
            self._watched = psutil.Process(self._process.pid)
        if self._stopping:
            self.signal(signal.SIGTERM)
        await self._read(self._process, log)
        return await self._process.wait()

    async def _read(self, process: asyncio.subprocess.Process, log: RotatingFileHandler) -> None:
        """Put every line into the log; a grandchild may hold the pipe open after the process has ended."""
        assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
        rest, ended = b"", asyncio.ensure_future(process.wait())
        while True:
            chunk = asyncio.ensure_future(process.stdout.read(65_536))
            await asyncio.wait({chunk, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not chunk.done():
                await asyncio.wait({chunk}, timeout=0.2)
            if not chunk.done():
                chunk.cancel()
                break
            if not chunk.result():
                break
            *lines, rest = (rest + chunk.result()).split(b"\n")
            for line in lines:
                self._hear(line, log)
            rest = rest[-_LINE:]
        if rest:
            self._hear(rest, log)
        await ended

    def _hear(self, line: bytes, log: RotatingFileHandler) -> None:
        text = line.decode("utf-8", "replace").rstrip()[:_LINE]
        if text.startswith("ready "):
            with contextlib.suppress(ValueError):
                self.announced = json.loads(text.removeprefix("ready "))
            self.ready.set()
        elif text:
            self.last_line = text
        log.emit(_record(text))

    def _complain(self, code: int) -> None:
        """Tell the person when it died several times within a short while."""
        if code == REFUSED and not self.ready.is_set():
            if time.monotonic() - self._began > REFUSED_S:
                self._give_up(f"{self.plan.name}: {self.last_line}")
            return
        self._exits.append(time.monotonic())
        if len(self._exits) == CRASHES and self._exits[-1] - self._exits[0] < SETTLED_S:
            self._exits.clear()
            why = self.last_line or f"it ended with {code}"
            self._say(f"{self.plan.name} keeps stopping: {why} (see {self._file})")

    def _open_log(self) -> RotatingFileHandler:
        return RotatingFileHandler(self._file, maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8")


def _record(text: str) -> logging.LogRecord:
    return logging.LogRecord("child", logging.INFO, "", 0, text, None, None)
