"""A measured process: started, spoken to line by line, watched from outside, stopped with all that it started.

A worker prints `ready {json}` once it works, and `result {json}` when it was told `stop`. It counts what comes between
the lines `start` and `stop` that it reads.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from shopfloor.plant import ShopfloorError

_LAST_LINES: Final = 6


class WorkerFailed(ShopfloorError):  # noqa: N818 (a state, as people name it)
    """A measured process ended, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children have used so far: CPU in s, and memory now in bytes."""

    cpu_s: float
    rss: int


@dataclass(slots=True)
class Worker:
    """One running process."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)
    _lines: queue.Queue[str] = field(default_factory=queue.Queue)
    _leaving: bool = False

    def tell(self, word: str) -> None:
        """Write one line to it."""
        assert self.process.stdin is not None  # noqa: S101 (a pipe was asked for)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{word}\n")
            self.process.stdin.flush()

    def hear(self, word: str, patience_s: float = 60.0) -> dict[str, Any]:
        """Wait for the line that begins with `word`, and answer its JSON."""
        end = time.monotonic() + patience_s
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=min(left, 0.5))
                if line.startswith(f"{word} "):
                    self._leaving = word == "result"
                    return dict(json.loads(line.partition(" ")[2]))
            if self.process.poll() is not None and self._lines.empty():
                raise WorkerFailed(f"{self.name} ended with {self.process.returncode}: {self._said()}")
        raise WorkerFailed(f"{self.name} did not say {word!r} within {patience_s:g} s: {self._said()}")

    def usage(self) -> Usage:
        """CPU and memory, with its children."""
        try:
            first = psutil.Process(self.process.pid)
            family = [first, *first.children(recursive=True)]
            cpu = sum(sum(one.cpu_times()[:2]) for one in family)
            return Usage(cpu, sum(one.memory_info().rss for one in family))
        except psutil.Error as problem:
            raise WorkerFailed(f"{self.name} is gone: {self._said()}") from problem

    def stop(self, patience_s: float = 10.0) -> None:
        """End it and what it started; one that has said its result first deletes its subscription by itself."""
        if self._leaving:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(self.process.pid).children(recursive=True)
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
            for one in family:
                with contextlib.suppress(psutil.Error):
                    one.kill()
        self.process.kill()
        self.process.wait()

    def _listen(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 (a pipe was asked for)
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def _said(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return " | ".join(lines[-_LAST_LINES:]) or "it said nothing"


@contextmanager
def started(
    name: str,
    command: Sequence[str],
    folder: Path,
    *,
    patience_s: float = 60.0,
    environment: Mapping[str, str] | None = None,
    announces: bool = True,
) -> Iterator[Worker]:
    """Run `command` in `folder` until the block ends; with `announces`, wait until it says `ready`."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with log.open("a") as out:
        process = subprocess.Popen(  # noqa: S603 (programs of the bench)
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True, cwd=folder,
            env=_environment(environment),
        )  # fmt: skip
    worker = Worker(name, process, log)
    thread = threading.Thread(target=worker._listen, daemon=True)  # noqa: SLF001 (its own class)
    thread.start()
    try:
        if announces:
            worker.ready = worker.hear("ready", patience_s)
        yield worker
    finally:
        worker.stop()
        thread.join(5)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _environment(wanted: Mapping[str, str] | None) -> dict[str, str]:
    """Compiled modules may be kept: asyncua's address space takes seconds to compile, for every process anew."""
    environment = dict(os.environ if wanted is None else wanted)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def module(name: str, plan: Mapping[str, Any]) -> list[str]:
    """The command that runs a module of this package with a plan."""
    return [sys.executable, "-m", f"shopfloor.services.bench.{name}", json.dumps(plan)]
