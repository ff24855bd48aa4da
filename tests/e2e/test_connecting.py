"""From an address to values in the store, through the server, as the connections page does it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from plant_under_test import free_port, until
from running_server import Running, plant, running

pytestmark = [pytest.mark.e2e]
PLANT = """
plant: {{site: delta}}
types: {{machine-tool: {{}}}}
assets: [{{path: delta/frames/machining/cell-a/cnc-01, type: machine-tool}}]
gateway: {{name: edge-1, server: "{server}"}}
"""


@contextmanager
def gateway(folder: Path, server: Running) -> Iterator[None]:
    """`shopfloor gateway` with a plant file that has no sources yet."""
    file = folder / "plant.yaml"
    file.write_text(PLANT.format(server=server.url))
    command = [sys.executable, "-m", "shopfloor.services.cli", "gateway", "--config", str(file)]
    command += ["--data", str(folder / "edge"), "--token-file", str(server.folder / "secrets" / "gateway.token")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            yield
        finally:
            process.terminate()
            assert process.wait(15) == 0


def call(server: Running, kind: str, **body: Any) -> list[dict[str, Any]]:
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client:
        answer = client.post(f"/api/v1/gateways/edge-1/calls/{kind}", json=body)
    parts = [json.loads(line) for line in answer.text.splitlines()]
    assert parts[-1] == {"done": True}, parts[-1]
    return parts[:-1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server, and a gateway that fetches its errands."""
    folder = tmp_path_factory.mktemp("site")
    with running(folder / "server", plant()) as server, gateway(folder, server):
        until("the gateway reports", server.parts.gateways.posts)
        yield server


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[str]:
    """A simulated cell as a device to connect to."""
    port = free_port()
    command = [sys.executable, "-m", "shopfloor.services.cli", "simulate", "machining", "--machines", "1"]
    command += ["--opcua-port", str(port), "--state", str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            yield f"opc.tcp://127.0.0.1:{port}/shopfloor/"
        finally:
            process.terminate()
            process.wait(15)


def test_from_an_address_to_values_in_the_store(server: Running, machine: str) -> None:
    parts = call(server, "browse", url=machine, security="none", depth=5)
    nodes = [node for part in parts for node in part["nodes"]]
    picked = next(n for n in nodes if n["kind"] == "variable" and n["type"] == "Double")
    (text,) = [part["text"] for part in call(
        server, "entry", name="cell", url=machine, security="none", asset="delta/frames/machining/cell-a/cnc-01",
        picks=[picked],
    )]  # fmt: skip
    ladder = [part["finding"] for part in call(server, "examine", url=machine, security="none", seconds=1)]
    assert {one["state"] for one in ladder} <= {"ok", "note", "skipped"}, ladder
    (effect,) = call(server, "check", text=text)
    assert (effect.get("ok"), effect.get("adds")) == (True, 1), effect
    (saved,) = call(server, "save", text=text)
    assert saved["text"] == (server.folder.parent / "edge" / "connections" / "cell.yaml").read_text() == text
    (tag,) = effect["tags"]
    row = until("a value is stored", lambda: server.parts.historian.reader.latest([tag]).to_pylist())
    assert row[0]["tag"] == tag
    until("health shows the source", lambda: "cell" in [s["name"] for s in server.get("/health")["sources"]])


def test_certificates_and_an_unknown_call(server: Running) -> None:
    assert call(server, "certificates") == [{"certificates": []}]
    (rung,) = [
        part["finding"] for part in call(server, "examine", url="opc.tcp://127.0.0.1:1", security="none")
        if part["finding"]["state"] == "failed"
    ]  # fmt: skip
    assert rung["step"] == "port"
    assert rung["sentence"].endswith(".")
    assert rung["fix"].endswith(".")
    stolen = {"user": "me", "password_file": str(server.folder / "secrets" / "gateway.token")}
    body = {"url": "mqtt://127.0.0.1:1", "options": stolen}
    answer = server.client.post("/api/v1/gateways/edge-1/calls/browse", json=body)
    assert "'password_file' names" in json.loads(answer.text)["error"]
    answer = server.client.post("/api/v1/gateways/edge-1/calls/approve", json={"thumbprint": "ABCDEFGH12"})
    (end,) = [json.loads(line) for line in answer.text.splitlines()]
    assert end["error"].startswith("No certificate here has the thumbprint 'ABCDEFGH12'")
