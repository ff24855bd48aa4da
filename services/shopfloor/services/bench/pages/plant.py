"""A server whose store holds long tags, and that hears many tags at 10 Hz."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.bench.worker import Worker, WorkerFailed, started
from shopfloor.services.security import gateway_token

MACHINES: Final = tuple(f"bench/a/l/c/m-{number:02d}" for number in range(1, 21))
ASSET: Final = MACHINES[0]
LANES: Final = tuple(f"{ASSET}/t{number:02d}" for number in range(16))
WALL: Final = tuple(f"{machine}/t{number:02d}" for machine in MACHINES for number in range(4))
_FED: Final = tuple(dict.fromkeys((*LANES, *WALL)))
PERIOD_S: Final = 0.1
_ROWS: Final = 200_000


@dataclass(slots=True)
class Plant:
    """A server that answers at `url`."""

    url: str
    worker: Worker
    token: str
    http: httpx.Client
    sequence: int = 0
    accepted: int = 0
    fed: list[int] = field(default_factory=list)

    def fill(self, tag: str, values: int, period_ns: int) -> tuple[int, int]:
        """Store so many values of a tag, the last one now; answers their first and last time in ms."""
        end = time.time_ns()
        first = end - values * period_ns
        for start in range(0, values, _ROWS):
            number = np.arange(start, min(values, start + _ROWS))
            wave = 50 + 30 * np.sin(number / 4000) + np.random.default_rng(start).normal(0, 2, len(number))
            self._send((tag,), np.zeros(len(number), np.int32), first + number * period_ns, wave)
        return first // 1_000_000, end // 1_000_000

    def tick(self) -> None:
        """One value of each tag that flows, now."""
        now = time.time_ns()
        wave = 50 + 30 * np.sin(now / 5e9 + np.arange(len(_FED)))
        self._send(_FED, np.arange(len(_FED), dtype=np.int32), np.full(len(_FED), now), wave)
        self.fed.append(now)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Ticks at 10 Hz until the block ends."""
        ended = threading.Event()

        def flow() -> None:
            due = time.monotonic()
            while not ended.wait(max(0.0, due - time.monotonic())):
                self.tick()
                due += PERIOD_S

        thread = threading.Thread(target=flow)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _send(self, tags: tuple[str, ...], index: np.ndarray, times: np.ndarray, values: np.ndarray) -> None:
        self.sequence += 1
        self.accepted += len(index)
        batch = Batch(tags, index, times.astype(np.int64), values, np.zeros(len(index), np.uint32))
        headers = {
            "Authorization": f"Bearer {self.token}", "X-Gateway": "bench-00000001", "X-Sequence": str(self.sequence),
            "X-Source": "load", "X-Accepted": str(self.accepted), "Content-Type": "application/vnd.apache.arrow.stream",
        }  # fmt: skip
        answer = self.http.post("/api/v1/ingest", content=batch.to_bytes(), headers=headers)
        if answer.is_error:
            raise WorkerFailed(f"The server refused values of the bench with {answer.status_code}: {answer.text[:300]}")


@contextmanager
def standing(folder: Path) -> Iterator[Plant]:
    """A server with the tags of the bench until the block ends."""
    tags = {tag.rpartition("/")[2]: {"unit": "kW", "normal": [20, 80]} for tag in LANES}
    text = {
        "plant": {"site": "bench"},
        "types": {"machine": {"tags": tags | {"million": {"unit": "kW"}, "long": {"unit": "kW"}}}},
        "assets": [{"path": machine, "type": "machine"} for machine in MACHINES],
        "sources": [{"name": "load", "kind": "opcua", "url": "opc.tcp://127.0.0.1:4840", "security": "none"}],
    }
    (folder / "plant.yaml").write_text(json.dumps(text))
    command = [sys.executable, "-m", "shopfloor.services.cli", "server", "--config", "plant.yaml", "--data", "data"]
    with started("server", [*command, "--port", "0"], folder) as worker:
        url = worker.ready["server"]
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
            yield Plant(url, worker, gateway_token(folder / "data"), http)
