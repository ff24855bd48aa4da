"""A real server on a free port in a thread of the test, with real parts on a temporary folder."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from prompt_server import PromptServer
from shopfloor.plant import Batch, Sample
from shopfloor.plant.config import PlantConfig, loads
from shopfloor.services.app import Parts, create_app, open_parts
from shopfloor.services.live import LiveProtocol
from shopfloor.services.security import gateway_token
from shopfloor.services.server import listener

PLANT = """
plant: {site: delta, title: Delta works, timezone: Asia/Shanghai}
types:
  machine-tool:
    title: Machine tool
    tags:
      spindle.power: {unit: kW, title: Spindle power, decimals: 1, normal: [0, 12],
                      limits: [{high: 15, priority: 2, deadband: 0.5, advice: Reduce the feed.},
                               {high: 20, priority: 1}]}
      spindle.temperature: {unit: °C, title: Spindle temperature, limits: [{high: 80, delay: 5s}, {low: 5}]}
      state: {kind: text, states: [IDLE, EXECUTE]}
      part.count: {kind: int64, title: Parts}
assets:
  - {path: "delta/frames/machining/cell-a/cnc-[01..03]", type: machine-tool, title: "CNC [01..03]"}
sources:
  - {name: machining, kind: opcua, url: "opc.tcp://127.0.0.1:4840", security: none}
"""
CNC = "delta/frames/machining/cell-a/cnc-01"
POWER, TEMPERATURE, STATE, COUNT = (
    f"{CNC}/{name}" for name in ("spindle.power", "spindle.temperature", "state", "part.count")
)
S = 1_000_000_000


@dataclass
class FakeBrain:
    """A brain whose thoughts the test chooses."""

    said: list[dict[str, Any]] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)
    explained: dict[str, Any] = field(default_factory=dict)
    advised: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def predictions(self, asset: str | None = None) -> list[dict[str, Any]]:
        return [p for p in self.said if asset in {None, p["asset"]}]

    def explain(self, asset: str, target: str) -> dict[str, Any]:
        return self.explained

    def advise(self, asset: str, target: str, low: float | None, high: float | None) -> dict[str, Any]:
        return {**self.advised, "goal": {"low": low, "high": high}}

    def history(self, asset: str, target: str, start: int, end: int) -> dict[str, list[Any]]:
        return {"time": [start / 1e6], "value": [1.0], "low": [0.0], "high": [2.0]}

    def models(self) -> list[dict[str, Any]]:
        return self.cards

    def left_out(self, name: str, number: int) -> list[dict[str, str]]:
        return []

    def drift(self, name: str, number: int) -> dict[str, Any]:
        return {"name": name, "number": number}

    def train_again(self) -> str:
        return "The training has begun: its models will be proposed."

    def status(self) -> dict[str, Any]:
        return {"state": "ready", "progress": 1.0, "sentence": "Ready.", "cpu_s": 1.5}


@dataclass
class Running:
    """A server that answers, and what a gateway needs to feed it."""

    url: str
    parts: Parts
    brain: FakeBrain
    client: httpx.Client
    token: str
    folder: Path
    accepted: dict[str, int] = field(default_factory=dict)
    sequence: int = 0

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws") + "/api/v1/live"

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(f"/api/v1{path}", params=params)
        assert answer.is_success, answer.text
        return answer.json()

    def feed(self, *samples: Sample, source: str = "machining", kind: Any = None) -> httpx.Response:
        return self.send(Batch.of(samples, kind), source=source)

    def send(self, batch: Batch, source: str = "machining") -> httpx.Response:
        self.sequence += 1
        self.accepted[source] = self.accepted.get(source, 0) + len(batch)
        answer = self.post_batch(batch.to_bytes(), self.sequence, source, self.accepted[source])
        assert answer.status_code == 200, answer.text
        return answer

    def post_batch(
        self, body: bytes, sequence: int, source: str = "machining", accepted: int = 0, token: str | None = None
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {self.token if token is None else token}",
            "X-Gateway": "edge-1-00c0ffee",
            "X-Sequence": str(sequence),
            "X-Source": source,
            "X-Accepted": str(accepted),
            "Content-Type": "application/vnd.apache.arrow.stream",
        }
        return self.client.post("/api/v1/ingest", content=body, headers=headers)

    def post_health(self, gateway: str = "edge-1-00c0ffee", name: str = "edge-1", **source: Any) -> httpx.Response:
        now = time.time() * 1000
        row = {"name": "machining", "kind": "opcua", "state": "connected", "newest_time": now, "values_per_s": 5.0}
        body = {"name": name, "pid": 1, "rss_bytes": 1000, "sources": [{**row, **source}]}
        return self.client.post(
            f"/api/v1/gateways/{gateway}/health", json=body, headers={"Authorization": f"Bearer {self.token}"}
        )


def plant(text: str = PLANT) -> PlantConfig:
    return loads(text, "plant.yaml", {})


@contextmanager
def running(
    folder: Path,
    config: PlantConfig | None = None,
    host: str = "127.0.0.1",
    brain: FakeBrain | None = None,
    *,
    thinks: bool = False,
    buffer: int = 0,
    **options: Any,
) -> Iterator[Running]:
    """Serve until the block ends; with `thinks` by the brain itself. `options` are uvicorn's.

    `buffer` is how many bytes the system takes for a page that does not read; by default megabytes.
    """
    brain = brain or FakeBrain()
    make_brain = None if thinks else lambda *_: brain
    bound = listener("127.0.0.1", 0)
    if buffer:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    with bound, open_parts(config or plant(), folder, host=host, make_brain=make_brain) as parts:
        server = PromptServer(
            uvicorn.Config(
                create_app(parts), ws=LiveProtocol, log_level="warning", proxy_headers=False,
                ws_per_message_deflate=False, **{"timeout_graceful_shutdown": 1, **options},
            )
        )  # fmt: skip
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.start(bound)
        try:
            with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
                yield Running(url, parts, brain, client, gateway_token(folder), folder)
        finally:
            server.stop()


def until(question: Any, seconds: float = 10.0) -> Any:
    """Ask until the answer is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain")
