"""A whole plant under test: the load server, the real gateway and the real server, each a process of its own."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.services.bench.worker import Worker, WorkerFailed, started
from shopfloor.services.supervision.ports import free_port

ASSET: Final = "bench/load/line/cell/device"
_PATIENCE_S: Final = 60.0
_ARROW: Final = "application/vnd.apache.arrow.stream"


@dataclass(frozen=True, slots=True)
class Rig:
    """A server at `port` and the plant file that a gateway is started with; `told` is what the load said."""

    folder: Path
    port: int
    server: Worker
    told: Mapping[str, Any]

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    def gateway(self, server: str = "") -> AbstractContextManager[Worker]:
        """A gateway on the one spool of this rig; `server` may lead through a proxy."""
        command = _command("gateway", "--config", "plant.yaml", "--data", "gateway", "--server", server or self.url)
        token = ["--token-file", str(self.folder / "server/secrets/gateway.token")]
        return started("gateway", [*command, *token], self.folder)

    def ledger(self) -> dict[str, Any]:
        """The server's account of every value."""
        answer = httpx.get(f"{self.url}/api/v1/ledger", timeout=30, trust_env=False)
        return dict(answer.raise_for_status().json())

    def stored(self) -> int:
        """How many values the server has."""
        return sum(source["stored"] for source in self.ledger()["sources"])

    def drained(self, patience_s: float = _PATIENCE_S) -> dict[str, Any]:
        """The ledger once nothing waits in the spool any more."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            ledger = self.ledger()
            if ledger["sources"] and ledger["balanced"] and not any(one["spooled"] for one in ledger["sources"]):
                return ledger
            time.sleep(0.2)
        raise WorkerFailed(f"The spool was not empty after {patience_s:g} s: {json.dumps(self.ledger())}")

    def values(self, tags: Sequence[str]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Number of each tag and the sequence numbers that are stored for it, in the order of their times."""
        start, end = self.told["start"] / 1e6 - 1_000, time.time() * 1e3 + 60_000
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False, headers={"Accept": _ARROW}) as http:
            for tag in tags:
                question = {"tag": f"{ASSET}/{tag}", "start": start, "end": end}
                answer = http.get("/api/v1/history", params=question).raise_for_status()
                table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()
                value = table.column("value").to_numpy()
                yield int(tag[1:]), value[value >= 0].astype(np.int64)


@contextmanager
def standing(folder: Path, told: Mapping[str, Any], items: int, publish_ms: int, queue: int) -> Iterator[Rig]:
    """A server that runs, and a plant file for the load; gateways are started by the caller."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "plant.yaml").write_text(json.dumps(_plant(told, items, publish_ms, queue, port)))
    command = _command("server", "--config", "plant.yaml", "--data", "server", "--port", str(port))
    with started("server", command, folder, announces=False) as worker:
        rig = Rig(folder, port, worker, told)
        _answers(rig)
        yield rig


def _answers(rig: Rig) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and rig.server.process.poll() is None:
        try:
            rig.ledger()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise WorkerFailed(f"The server does not answer: {rig.server.log.read_text()[-600:]}")


def _plant(told: Mapping[str, Any], items: int, publish_ms: int, queue: int, port: int) -> dict[str, Any]:
    nodes = [{"node": told["node"].format(i), "tag": f"{ASSET}/t{i}"} for i in range(items)]
    source = {
        "name": "load", "kind": "opcua", "url": told["url"], "security": "none", "queue": queue,
        "publishing_interval": f"{publish_ms}ms", "nodes": nodes,
    }  # fmt: skip
    return {
        "plant": {"site": "bench"},
        "types": {"device": {"tags": {"t0": {"title": "Number"}}}},
        "assets": [{"path": ASSET, "type": "device"}],
        "gateway": {"name": "bench", "server": f"http://127.0.0.1:{port}"},
        "sources": [source],
    }


def _command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "shopfloor.services.cli", name, *arguments]
