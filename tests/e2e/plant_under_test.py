"""A whole plant as its user starts it, for the end-to-end tests: real processes, real ports, real HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

API = "/api/v1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(
    what: str, question: Callable[[], Any], seconds: float = 60, every: float = 0.25, why: Callable[[], str] = str
) -> Any:
    """Ask until the answer is true; connection errors count as no."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := question():
                return answer
        except httpx.TransportError:
            pass
        time.sleep(every)
    raise AssertionError(f"waited {seconds:.0f} s in vain: {what}. {why()}")


@dataclass
class PlantUnderTest:
    """A running `shopfloor demo`."""

    process: subprocess.Popen[bytes]
    url: str
    data: Path
    output: Path
    client: httpx.Client

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(API + path, params=params)
        answer.raise_for_status()
        return answer.json()

    def health(self) -> dict[str, Any]:
        health: dict[str, Any] = self.get("/health")
        return health

    def pid(self, kind: str, name: str = "") -> int:
        """Process id of a child: broker, simulator, gateway or server."""
        for process in self.health()["processes"]:
            if process["kind"] == kind and name in process["name"] and process["pid"]:
                return int(process["pid"])
        raise AssertionError(f"no {kind} {name} among {self.health()['processes']}")

    def kill(self, kind: str, name: str = "") -> None:
        """kill -9, as a power cut or the out-of-memory killer would."""
        os.kill(self.pid(kind, name), signal.SIGKILL)

    def flowing(self) -> bool:
        """Every live source is connected and its newest value is young."""
        sources = [s for s in self.health()["sources"] if s["kind"] != "recording"]
        return len(sources) >= 2 and all(
            s["state"] == "connected" and s["newest_age_s"] is not None and s["newest_age_s"] < 5 for s in sources
        )

    def story(self) -> str:
        """What the processes said, for the message of a failed test."""
        parts = [self.output.read_text(errors="replace")[-2000:]]
        logs = sorted((self.data / "logs").glob("*.log"))
        parts += [f"--- {log.name}\n{log.read_text(errors='replace')[-1200:]}" for log in logs]
        return "\n".join(parts)


def shopfloor(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start the product's command as a user would."""
    command = [sys.executable, "-m", "shopfloor.services.cli", *map(str, arguments)]
    return subprocess.Popen(command, **options)


@contextmanager
def demo(data: Path, *arguments: str) -> Iterator[PlantUnderTest]:
    """`shopfloor demo` on a free port, stopped as Ctrl-C stops it; leaves no process behind."""
    port = free_port()
    data.mkdir(parents=True, exist_ok=True)
    output = data / "demo.out"
    with output.open("wb") as sink:
        process = shopfloor(
            "demo", "--port", str(port), "--data", data, "--no-browser", *arguments, stdout=sink, stderr=sink
        )
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
        plant = PlantUnderTest(process, url, data, output, client)
        try:
            until("the server answers", lambda: process.poll() is None and plant.health(), 180, why=plant.story)
            yield plant
        finally:
            children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.send_signal(signal.SIGINT)
            process.wait(30)
            _, alive = psutil.wait_procs(children, 3)
            for orphan in alive:
                orphan.kill()
    assert not alive, f"left behind: {alive}"


def last_json(text: str) -> Any:
    """The JSON document of the last line that holds one."""
    return json.loads(next(line for line in reversed(text.splitlines()) if line.startswith("{")))
