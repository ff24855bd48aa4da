"""Real recordings, a foreign broker and kill -9: every row that was sent is in the store, to the value."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from brokers import mosquitto
from browser import visitor
from plant_under_test import API, free_port, shopfloor, until
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
MILLS = Path(os.environ.get("SHOPFLOOR_DATA", Path(__file__).parents[3] / "shared" / "data")) / "cnc_mill"
ASSET = "mill-works/shop/line-1/cell-1/mill-01"
BELOW = "Machines.EXPERIMENT_04."

PLANT = """
plant: {{site: mill-works, title: Mill works, timezone: Europe/Berlin}}
types:
  mill: {{title: Mill, tags: {{Machining_Process: {{kind: text}}}}}}
assets:
  - {{path: {asset}, type: mill, title: Mill 01}}
gateway: {{name: edge-1, server: "{server}"}}
sources:
{sources}
"""
OPCUA = """  - name: mill
    kind: opcua
    url: {url}
    security: none
    publishing_interval: 100ms
    trigger: timestamp
    queue: 1000
    everything: {asset}
"""
MQTT = """  - name: mill
    kind: mqtt
    url: {url}
    topics:
      - {{topic: "{topic}", values: values, time: t, tag: "{asset}/{{key}}"}}
"""


class Site:
    """A server and a gateway as an integrator starts them: two commands, one plant file."""

    def __init__(self, folder: Path, sources: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=10, trust_env=False)
        self.config = folder / "plant.yaml"
        self.config.write_text(PLANT.format(asset=ASSET, server=self.url, sources=sources))
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, kind: str) -> None:
        arguments: list[str | Path] = [kind, "--config", self.config, "--data", self.folder / kind]
        if kind == "server":
            arguments += ["--port", str(self.port)]
        else:
            arguments += ["--token-file", self.folder / "server" / "secrets" / "gateway.token"]
        with (self.folder / f"{kind}.log").open("ab") as log:
            self.running[kind] = shopfloor(*arguments, stdout=log, stderr=log)
        if kind == "server":
            until("the server answers", lambda: self.client.get(f"{API}/health").is_success, 60, why=self.story)

    def kill(self, kind: str) -> None:
        self.running[kind].send_signal(signal.SIGKILL)
        self.running[kind].wait()

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(API + path, params=params)
        answer.raise_for_status()
        return answer.json()

    def connected(self) -> bool:
        return any(s["state"] == "connected" for s in self.get("/health")["sources"])

    def rows(self, tag: str) -> list[Any]:
        """Every good value of a tag, oldest first."""
        now = time.time() * 1000
        query = {"tag": f"{ASSET}/{tag}", "start": now - 3_600_000, "end": now + 3_600_000}
        answer = self.client.get(f"{API}/history", params=query)
        if not answer.is_success:
            return []
        told = answer.json()
        return [v for v, quality in zip(told["value"], told["quality"], strict=True) if quality == 0]

    def story(self) -> str:
        return "\n".join(f.read_text(errors="replace")[-1500:] for f in self.folder.glob("*.log"))

    def close(self) -> None:
        self.client.close()
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(15)


@contextmanager
def site(folder: Path, sources: str) -> Iterator[Site]:
    running = Site(folder, sources)
    try:
        running.start("server")
        running.start("gateway")
        yield running
    finally:
        running.close()


@contextmanager
def replay(folder: Path, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "replay.log").open("wb") as log:
        process = shopfloor("replay", *arguments, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


def made_recording(folder: Path, rows: int) -> Path:
    """A recording whose values number its rows."""
    path = folder / "made.csv"
    with path.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["row", "half", "name"])
        writer.writerows([n, n + 0.5, f"part {n}"] for n in range(rows))
    return path


@pytest.mark.skipif(not MILLS.exists() and not os.environ.get("CI"), reason="the CNC mill recordings are not here")
def test_a_real_milling_recording_arrives_to_the_value(tmp_path: Path) -> None:
    recording = MILLS / "experiment_04.csv"
    port = free_port()
    url = f"opc.tcp://127.0.0.1:{port}/shopfloor/"
    with recording.open() as lines:
        truth = list(csv.DictReader(lines))
    with ExitStack() as stack:
        stack.enter_context(
            replay(tmp_path, recording, "--as", "opcua", "--speed", "10", "--port", str(port), "--wait")
        )
        mill = stack.enter_context(site(tmp_path, OPCUA.format(url=url, asset=ASSET)))
        until(
            "all rows arrive",
            lambda: len(mill.rows(BELOW + "X_ActualPosition")) >= len(truth),
            180,
            why=lambda: f"{len(mill.rows(BELOW + 'X_ActualPosition'))} of {len(truth)} {mill.story()}",
        )
        for column in ("X_ActualPosition", "Y_OutputCurrent", "S_ActualVelocity"):
            assert mill.rows(BELOW + column) == [float(row[column]) for row in truth], column
        assert mill.rows(BELOW + "Machining_Process") == [row["Machining_Process"] for row in truth]
        until("a balanced ledger", lambda: mill.get("/ledger")["balanced"], 30, why=mill.story)
        with visitor(mill.url) as guest:
            trend = guest.open(f"/tag/{ASSET}/{BELOW}X_ActualPosition").get_by_test_id("trend")
            expect(trend).to_contain_text(f"{float(truth[-1]['X_ActualPosition']):.0f}")
            guest.keep("mill-recording")


@pytest.mark.foreign
def test_every_message_of_a_foreign_broker_survives_kill_9(tmp_path: Path) -> None:
    rows, moments = 1200, random.Random(4)
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(tmp_path))
        mill = stack.enter_context(
            site(tmp_path, MQTT.format(url=broker, topic="factory/mill-works/line-1/mill-01", asset=ASSET))
        )
        until("the gateway is connected", mill.connected, 30, why=mill.story)
        stack.enter_context(
            replay(
                tmp_path, made_recording(tmp_path, rows), "--as", "mqtt", "--mqtt", broker,
                "--asset", ASSET, "--period", "15ms", "--tags", "row,half,name",
            )
        )  # fmt: skip
        stored = 0
        for victim in ("gateway", "server", "gateway", "server", "gateway"):
            stored = until("rows flow", lambda stored=stored: _more(mill, stored, rows), 60, 0.1, mill.story)
            time.sleep(moments.uniform(0.0, 1.0))
            mill.kill(victim)
            time.sleep(moments.uniform(0.1, 1.0))
            mill.start(victim)
        until(
            "every row is in the store",
            lambda: len(mill.rows("row")) >= rows and len(mill.rows("name")) >= rows,
            120,
            why=lambda: f"{len(mill.rows('row'))} of {rows}\n{mill.story()}",
        )
        assert mill.rows("row") == list(range(rows))
        assert mill.rows("half") == [n + 0.5 for n in range(rows)]
        assert mill.rows("name") == [f"part {n}" for n in range(rows)]
        until("a balanced ledger", lambda: mill.get("/ledger")["balanced"], 30, why=mill.story)


def _more(mill: Site, stored: int, last: int) -> int | None:
    """How many rows are stored, once these are more than before or all."""
    found = len(mill.rows("row"))
    return found if found > stored or found == last else None
