"""Simulators as their users start them: processes that say `ready`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Running:
    """A simulator process and what it said when it was ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    log: Path

    def line(self) -> dict[str, Any]:
        """The next line on its standard output: a word and JSON."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, self.log.read_text()
        return dict(json.loads(text.partition(" ")[2]))

    def stop(self) -> float:
        """SIGTERM; seconds until it had ended, with exit code 0."""
        begun = time.monotonic()
        self.process.terminate()
        assert self.process.wait(10) == 0, self.log.read_text()
        return time.monotonic() - begun

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("main", "machining", …)` runs `python -m shopfloor.simulators.main machining …`."""
    running: list[Running] = []

    def begin(module: str, *words: object) -> Running:
        log = tmp_path / f"{module}-{len(running)}.log"
        command = [sys.executable, "-m", f"shopfloor.simulators.{module}", *map(str, words)]
        with log.open("w") as stderr:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        one = Running(process, {}, log)
        running.append(one)
        one.ready = one.line()
        return one

    yield begin
    for one in running:
        one.kill()
        assert one.process.stdout is not None
        one.process.stdout.close()


def until(what: str, condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Poll until the condition is true, and answer it; fail with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return answer
