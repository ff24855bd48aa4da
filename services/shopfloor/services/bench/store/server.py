"""What the two servers have in common: a process on free ports, spoken to over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import httpx
from shopfloor.services.bench.store import proc
from shopfloor.services.bench.store.lines import Lines
from shopfloor.services.bench.worker import Worker, WorkerFailed

_PATIENCE_S: Final = 60.0
_IDLE_S: Final = 0.5
_IDLE_SHARE: Final = 0.04
_SETTLE_S: Final = 180.0


class Http:
    """One connection to a server."""

    def __init__(self, worker: Worker, port: int) -> None:
        self.worker = worker
        self.port = port
        self.opened_s = 0.0
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300, trust_env=False)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """GET, and the answer, which is no error."""
        return self._fine(self._client.get(path, params=parameters, headers={"Accept": "application/csv"}))

    def post(self, path: str, body: bytes = b"", **parameters: Any) -> httpx.Response:
        """POST, and the answer, which is no error."""
        return self._fine(self._client.post(path, content=body, params=parameters))

    def took_ms(self, call: Callable[[], httpx.Response]) -> float:
        """How long a call took."""
        begun = time.perf_counter()
        call()
        return (time.perf_counter() - begun) * 1e3

    def timed(self, call: Callable[[], httpx.Response]) -> tuple[httpx.Response, float, float]:
        """The answer, and what it cost the server: CPU and wall in ms."""
        cpu, wall = proc.cpu_s(self.worker.process.pid), time.perf_counter()
        answer = call()
        wall, cpu = time.perf_counter() - wall, proc.cpu_s(self.worker.process.pid) - cpu
        return answer, cpu * 1e3, wall * 1e3

    def _fine(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            raise WorkerFailed(f"{self.worker.name} answered {answer.status_code}: {answer.text[:300]}")
        return answer


@dataclass(frozen=True, slots=True)
class Served:
    """What `Store` asks of a server and every server answers alike; its data lies in `folder`."""

    version: str
    folder: Path
    http: Http
    lines: Lines = field(default_factory=Lines)

    @property
    def pid(self) -> int:
        """The server's."""
        return self.http.worker.process.pid

    @property
    def opened_s(self) -> float:
        """Until it answered."""
        return self.http.opened_s

    def second(self) -> Self:
        """Another connection."""
        return type(self)(self.version, self.folder, Http(self.http.worker, self.http.port))


def answers(http: Http, path: str) -> None:
    """Wait until the server answers."""
    begun = time.monotonic()
    end = begun + _PATIENCE_S
    while time.monotonic() < end and http.worker.process.poll() is None:
        try:
            http.get(path)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            http.opened_s = round(time.monotonic() - begun, 3)
            return
    raise WorkerFailed(f"{http.worker.name} does not answer: {http.worker.log.read_text()[-600:]}")


def idle(pid: int, quiet_s: float) -> None:
    """Wait until a process has hardly used CPU for `quiet_s` on end."""
    end, quiet = time.monotonic() + _SETTLE_S, 0.0
    while quiet < quiet_s and time.monotonic() < end:
        before = proc.cpu_s(pid)
        time.sleep(_IDLE_S)
        quiet = quiet + _IDLE_S if proc.cpu_s(pid) - before < _IDLE_SHARE * _IDLE_S else 0.0
