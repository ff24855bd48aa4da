"""The server stores of the tests: Debian's InfluxDB and VictoriaMetrics on free ports, with data of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from brokers import free_port
from shopfloor.services.historian import Product, Target

_INFLUX = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
{http}
[monitor]
store-enabled = false
"""


def until(happens: Callable[[], object], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed: run `apt-get install {package}`")
        pytest.skip(f"{name} is not installed: `apt-get install {package}` runs this test")
    return found


@dataclass
class Server:
    """A server store that can be started, stopped, killed, and started again on the same port and data."""

    product: Product
    folder: Path
    port: int
    http: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> Target:
        return Target(self.product, self.url, "delta", "plant")

    def start(self) -> Server:
        self.process = subprocess.Popen(self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers)
        return self

    def kill(self) -> None:
        """As a power cut of the process: nothing is written any more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def query(self, text: str) -> dict[str, object]:
        """InfluxDB only."""
        answer = httpx.post(f"{self.url}/query", data={"q": text, "db": "plant", "epoch": "ns"})
        answer.raise_for_status()
        return dict(answer.json()["results"][0])

    def show(self) -> None:
        """Make what was written readable now; VictoriaMetrics takes a second or two by itself."""
        if self.product is Product.VICTORIAMETRICS:
            httpx.get(f"{self.url}/internal/force_flush").raise_for_status()

    def export(self) -> dict[str, dict[int, float]]:
        """VictoriaMetrics only: values by ms, by series."""
        self.show()
        answer = httpx.post(f"{self.url}/api/v1/export", data={"match[]": '{__name__!=""}', "start": "0"})
        series = [httpx.Response(200, text=line).json() for line in answer.text.splitlines()]
        return {s["metric"]["__name__"]: dict(zip(s["timestamps"], s["values"], strict=True)) for s in series}

    def _command(self) -> list[str]:
        if self.product is Product.VICTORIAMETRICS:
            listen = f"-httpListenAddr=127.0.0.1:{self.port}"
            binary = program("victoria-metrics", "victoria-metrics")
            return [binary, f"-storageDataPath={self.folder}", listen, "-retentionPeriod=100y"]
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "influxdb.conf"
        text = _INFLUX.format(rpc=free_port(), port=self.port, folder=self.folder, http=self.http)
        config.write_text(text)
        return [program("influxd", "influxdb"), "-config", str(config)]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ping", timeout=1).status_code == 204
        except httpx.HTTPError:
            return False

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None


def server(product: Product, folder: Path, http: str = "") -> Server:
    """A server store with an empty database `plant`, not started yet for VictoriaMetrics, which needs none."""
    made = Server(product, folder, free_port(), http)
    if product is Product.INFLUXDB:
        program("influxd", "influxdb")
    else:
        program("victoria-metrics", "victoria-metrics")
    return made
