"""Starts simulators as processes and ends them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sim_processes import Running, Start


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
