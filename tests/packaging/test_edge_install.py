"""An edge computer gets the gateway without scikit-learn, DuckDB, FastAPI or pages, and it runs there."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge import Edge, build_wheel, run

pytestmark = [pytest.mark.timeout(120)]

PLANT = """
plant: {{site: delta}}
types: {{pump: {{tags: {{flow: {{unit: l/min}}}}}}}}
assets: [{{path: delta/water/line-1/cell-1/pump-1, type: pump}}]
gateway: {{name: edge-7, server: "http://127.0.0.1:{port}"}}
sources:
  - name: pumps
    kind: mqtt
    url: mqtt://127.0.0.1:{port}
    topics: [{{topic: "water/{{asset}}/{{tag}}", value: v, tag: "delta/water/line-1/cell-1/{{asset}}/{{tag}}"}}]
  - name: machine
    kind: opcua
    url: opc.tcp://127.0.0.1:{port}/
    security: none
    everything: delta/water/line-1/cell-1/pump-1
  - {{name: history, kind: recording, folder: {folder}}}
"""
SERVER_ONLY = [
    "sklearn",
    "duckdb",
    "fastapi",
    "uvicorn",
    "treelite",
    "numba",
    "influxdb_client",
    "tsdownsample",
    "psutil",
]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    folder = tmp_path_factory.mktemp("edge")
    return Edge.install(folder / "venv", build_wheel(folder))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken and answers nobody."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("package", SERVER_ONLY)
def test_what_belongs_to_the_server_is_absent(edge: Edge, package: str) -> None:
    found = run(edge.python, "-c", f"import importlib.util as u; print(u.find_spec({package!r}))").stdout
    assert found.strip() == "None"


def test_every_module_of_the_edge_can_be_imported(edge: Edge) -> None:
    code = (
        "import importlib, json, pkgutil, shopfloor.gateway as g, shopfloor.plant as p\n"
        "names = [m.name for r in (g, p) for m in pkgutil.walk_packages(r.__path__, r.__name__ + '.')]\n"
        "[importlib.import_module(n) for n in names if not n.endswith('.testing')]\n"
        "print(json.dumps(names))"
    )
    names = json.loads(run(edge.python, "-W", "error::ImportWarning", "-c", code).stdout)
    assert {"shopfloor.gateway.main", "shopfloor.plant.config.loading"} <= set(names)


def test_help_is_shown(edge: Edge) -> None:
    assert "--config" in run(edge.shopfloor, "gateway", "--help").stdout
    assert "gateway" in run(edge.shopfloor, "--help").stdout


def test_a_plant_file_is_checked(edge: Edge, tmp_path: Path, closed_port: int) -> None:
    plant = tmp_path / "plant.yaml"
    plant.write_text(PLANT.format(port=closed_port, folder=tmp_path / "recordings"))
    run(edge.shopfloor, "check", plant)


def test_what_needs_the_server_says_what_to_install(edge: Edge, tmp_path: Path, closed_port: int) -> None:
    plant = tmp_path / "plant.yaml"
    plant.write_text(PLANT.format(port=closed_port, folder=tmp_path))
    done = subprocess.run(
        [edge.shopfloor, "server", "--config", plant, "--data", tmp_path / "data"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "shopfloor[" in done.stderr


def test_the_gateway_starts_without_server_or_devices_and_stops(edge: Edge, tmp_path: Path, closed_port: int) -> None:
    plant = tmp_path / "plant.yaml"
    plant.write_text(PLANT.format(port=closed_port, folder=tmp_path / "recordings"))
    command = [edge.shopfloor, "gateway", "--config", plant, "--data", tmp_path / "data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        word, _, told = gateway.stdout.readline().partition(" ")
        gateway.send_signal(signal.SIGTERM)
        try:
            _, errors = gateway.communicate(timeout=15)
        finally:
            gateway.kill()
    assert word == "ready", errors
    assert json.loads(told)["gateway"].startswith("edge-7-")
    assert gateway.returncode == 0, errors
    assert "Traceback" not in errors
    assert any((tmp_path / "data").iterdir())
