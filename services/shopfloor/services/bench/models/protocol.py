"""The inference protocol over a real server's socket, beside the plain function that it asks."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bundle import Bundle
from shopfloor.models.features import Matrix
from shopfloor.models.scorer import score
from shopfloor.models.toy_model import toy_model
from shopfloor.services.bench.models.sets import Row, row
from shopfloor.services.bench.worker import Worker, WorkerFailed, started
from shopfloor.services.brain.cards import card
from shopfloor.services.inference.message import HEADER
from shopfloor.services.registry import Registry

ROWS: Final = 1_000
_PLANT: Final = """
plant: {site: toy, title: Toy, timezone: UTC}
types: {toy: {title: Toy, tags: {value: {title: Value}}}}
assets: [{path: toy/a/b/c/toy, type: toy, title: Toy}]
sources: [{name: toy, kind: opcua, url: "opc.tcp://127.0.0.1:4840", security: none}]
"""
_SPENT_S: Final = 5.0
_MOST: Final = 4_000
Told = Callable[[str], None]


def protocol(told: Told) -> list[Row]:
    """One row at a time, and 1,000 at once, as JSON and as bytes: the server's CPU and the client's clock."""
    sealed = toy_model().sealed
    x = np.resize(sealed.bundle.arrays["golden"], (ROWS, len(sealed.bundle.manifest.features))).astype(np.float32)
    found = _plain(sealed.bundle, x)
    with TemporaryDirectory(prefix="shopfloor-bench-") as folder, _serving(Path(folder), sealed.save) as worker:
        for what, several in (("one row", x[:1]), (f"{ROWS:,} rows", x)):
            for form, asked in (("JSON", _json(several)), ("bytes", _bytes(several))):
                told(f"{what} as {form}")
                found += _measured(worker, f"{what} as {form}", asked, len(several))
    return found


def _plain(bundle: Bundle, x: Matrix) -> list[Row]:
    one, _ = _timed(lambda: score(bundle, x[:1]))
    _, cpu = _timed(lambda: score(bundle, x))
    return [
        row("plain score, one row: p50 (ms)", float(np.median(one)) * 1e3),
        row("plain score, one row: p99 (ms)", float(np.quantile(one, 0.99)) * 1e3),
        row(f"plain score, {ROWS:,} rows: rows per CPU-second", ROWS / cpu, digits=0),
    ]


def _timed(act: Callable[[], object]) -> tuple[NDArray[np.float64], float]:
    """Seconds by the clock of each of many calls, and CPU seconds of one in the mean."""
    act()
    took: list[float] = []
    begun, cpu = time.perf_counter(), time.process_time()
    while len(took) < _MOST and time.perf_counter() - begun < _SPENT_S:
        before = time.perf_counter()
        act()
        took.append(time.perf_counter() - before)
    return np.array(took), (time.process_time() - cpu) / len(took)


@contextmanager
def _serving(folder: Path, save: Callable[[Path], Path]) -> Iterator[Worker]:
    """A server in a process of its own, whose registry holds the model."""
    data, plant = folder / "data", folder / "plant.yaml"
    plant.write_text(_PLANT)
    with Registry.open(data / "registry", time.time_ns, card) as registry:
        registry.begin_with(registry.submit(save(folder / "toy"), "bench"), "*")
    command = ["-m", "shopfloor.services.cli", "server", "--config", str(plant), "--data", str(data), "--port", "0"]
    with started("server", [sys.executable, *command], folder) as worker:
        yield worker


def _measured(worker: Worker, what: str, asked: tuple[bytes, dict[str, str]], rows: int) -> list[Row]:
    link = http.client.HTTPConnection(urlsplit(worker.ready["server"]).netloc, timeout=30)
    body, headers = asked

    def ask() -> None:
        link.request("POST", "/v2/models/toy/infer", body, headers)
        answer = link.getresponse()
        if answer.read()[:1] != b"{" or answer.status != 200:
            raise WorkerFailed(f"The server answered {answer.status} to {what}.")

    ask()
    before = worker.usage().cpu_s
    took, _ = _timed(ask)
    cpu = (worker.usage().cpu_s - before) / (len(took) + 1)
    link.close()
    ends = [
        row(f"{what}: p50 (ms)", float(np.median(took)) * 1e3),
        row(f"{what}: p99 (ms)", float(np.quantile(took, 0.99)) * 1e3),
    ]
    return [*ends, row(f"{what}: rows per CPU-second of the server", rows / cpu, digits=0)]


def _json(x: Matrix) -> tuple[bytes, dict[str, str]]:
    one = {"name": "features", "shape": list(x.shape), "datatype": "FP32", "data": x.ravel().tolist()}
    return json.dumps({"inputs": [one]}).encode(), {"Content-Type": "application/json"}


def _bytes(x: Matrix) -> tuple[bytes, dict[str, str]]:
    size = {"binary_data_size": x.nbytes}
    one = {"name": "features", "shape": list(x.shape), "datatype": "FP32", "parameters": size}
    text = json.dumps({"inputs": [one], "parameters": {"binary_data_output": True}}).encode()
    return text + x.tobytes(), {HEADER: str(len(text)), "Content-Type": "application/octet-stream"}
