"""The loads: a server or a broker with devices, started for one scenario."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.services.bench import brokers
from shopfloor.services.bench.clients import PEERS, Place, npm_version
from shopfloor.services.bench.keys import certify
from shopfloor.services.bench.machine import version, version_in
from shopfloor.services.bench.scenario import Scenario
from shopfloor.services.bench.worker import Worker, module, started
from shopfloor.services.supervision.ports import free_port

_PATIENCE_S: Final = 180.0
_PYTHON_OPCUA: Final = ("opcua==0.98.13",)
_BROKERS: Final = {"mosquitto": brokers.mosquitto, "nats": brokers.nats}


@dataclass(frozen=True, slots=True)
class Load:
    """A load at work: what it told, whose CPU is noted as the server's, and its version."""

    told: dict[str, Any]
    worker: Worker
    version: str


@contextmanager
def running(scenario: Scenario, place: Place) -> Iterator[Load]:
    """The load of a scenario until the block ends."""
    if scenario.server == "columnar":
        with _columnar(scenario, place.folder) as load:
            yield load
    elif scenario.server == "node-opcua":
        with _node(scenario, place) as load:
            yield load
    elif scenario.server == "python-opcua":
        with _python_opcua(scenario, place) as load:
            yield load
    else:
        with _devices(scenario, place.folder) as load:
            yield load


@contextmanager
def _columnar(scenario: Scenario, folder: Path) -> Iterator[Load]:
    plan: dict[str, Any] = {"port": free_port(), "items": scenario.items, "hz": scenario.hz}
    plan |= {"mixed": scenario.mixed}
    keys: dict[str, Any] = {}
    if scenario.encrypted:
        (folder / "keys").mkdir(parents=True)
        server, client = asyncio.run(certify(folder / "keys"))
        plan |= server
        keys = {"client": client, "server": server["certificate"]}
    with started("columnar-server", module("columnar", plan), folder, patience_s=_PATIENCE_S) as worker:
        yield Load({**worker.ready, **keys}, worker, version("asyncua"))


@contextmanager
def _node(scenario: Scenario, place: Place) -> Iterator[Load]:
    modules = place.cache.node()
    plan = {"port": free_port(), "items": scenario.items, "hz": scenario.hz}
    command = ["node", str(PEERS / "node_server.js"), json.dumps(plan)]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    folder = place.folder / "node-server"
    with started("node-server", command, folder, environment=environment, patience_s=_PATIENCE_S) as worker:
        yield Load(worker.ready, worker, npm_version(modules))


@contextmanager
def _python_opcua(scenario: Scenario, place: Place) -> Iterator[Load]:
    python = place.cache.python("python-opcua", _PYTHON_OPCUA)
    plan = {"port": free_port(), "items": scenario.items, "hz": scenario.hz}
    command = [str(python), str(PEERS / "python_opcua_server.py"), json.dumps(plan)]
    with started("python-opcua-server", command, place.folder, patience_s=_PATIENCE_S) as worker:
        yield Load(worker.ready, worker, version_in(python, "opcua"))


@contextmanager
def _devices(scenario: Scenario, folder: Path) -> Iterator[Load]:
    with _BROKERS[scenario.server](folder / "broker") as broker:
        plan = {"port": broker.port, "items": scenario.items, "hz": scenario.hz, "qos": scenario.qos}
        with started("devices", module("devices", plan), folder) as devices:
            yield Load(devices.ready, broker.worker, "")
