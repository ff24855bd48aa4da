"""Simulators as their users start them: processes that say `ready`."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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

    def stop(self) -> None:
        """SIGTERM; it has ended with exit code 0."""
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Start = Callable[..., Running]


def until(what: str, condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Poll until the condition is true, and answer it; fail with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return answer
