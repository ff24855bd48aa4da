"""Who takes a load: ours and its peers, each started the way its users start it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shopfloor.services.bench import thingsboard
from shopfloor.services.bench.brokers import mosquitto
from shopfloor.services.bench.cache import Absent, Cache
from shopfloor.services.bench.machine import version, version_in
from shopfloor.services.bench.scenario import Scenario
from shopfloor.services.bench.worker import Worker, module, started

PEERS: Final = Path(__file__).with_name("peers")
_ROOT: Final = PEERS.parents[3]
_PATIENCE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where things lie: a folder for this run, the cache of the peers, and a Python with o6 when there is one."""

    folder: Path
    cache: Cache
    o6: Path | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A client at work: `worker` is what is measured, `voice` is who counts (the same, but for ThingsBoard)."""

    worker: Worker
    voice: Worker
    version: str

    def measure(self, seconds: float) -> dict[str, Any]:
        """Count for a while: values, gaps, duplicates, delays, CPU and memory, and the true length of the window."""
        before, begun = self.worker.usage(), time.perf_counter()
        self.voice.tell("start")
        time.sleep(seconds)
        self.voice.tell("stop")
        took, after = time.perf_counter() - begun, self.worker.usage()
        result = self.voice.hear("result", _PATIENCE_S)
        if self.worker is not self.voice:
            result["cpu_s"] = after.cpu_s - before.cpu_s
        return {**result, "seconds": took, "rss_mb": round(after.rss / 1e6)}


Told = Mapping[str, Any]
Start = Callable[[Scenario, Told, Place], AbstractContextManager[Subject]]


@contextmanager
def ours(scenario: Scenario, told: Told, place: Place) -> Iterator[Subject]:
    """The gateway of this package, up to the commit in its spool."""
    if scenario.protocol == "mqtt":
        topic = {"topic": "bench/{tag}", "tag": "bench/load/line/cell/device/{tag}", "value": "value", "time": "time"}
        plan: dict[str, Any] = {"kind": "mqtt", "options": {"url": told["url"], "qos": scenario.qos, "topics": [topic]}}
    else:
        plan = {"kind": "opcua", "node": told["node"], "items": scenario.items, "options": _opcua(scenario, told)}
    plan |= {"start": told["start"], "period": told["period"], "keep": told.get("keep", False)}
    with started("ours", module("ours", plan), place.folder / "ours", patience_s=_PATIENCE_S) as worker:
        yield Subject(worker, worker, version("shopfloor"))


def _opcua(scenario: Scenario, told: Told) -> dict[str, Any]:
    options = {
        "url": told["url"], "security": "none", "publishing_interval": f"{scenario.publish_ms}ms",
        "queue": scenario.queue,
    }  # fmt: skip
    if scenario.encrypted:
        options |= {"security": "Basic256Sha256", **told["client"], "server_certificate": told["server"]}
    return options


@contextmanager
def asyncua(scenario: Scenario, told: Told, place: Place, mode: str) -> Iterator[Subject]:
    """The client of asyncua itself, by its iterator or its handler."""
    plan = {**_peer(scenario, told), "mode": mode}
    command = module("peers.asyncua_client", plan)
    with started(f"asyncua-{mode}", command, place.folder / mode, patience_s=_PATIENCE_S) as worker:
        yield Subject(worker, worker, version("asyncua"))


@contextmanager
def node_opcua(scenario: Scenario, told: Told, place: Place) -> Iterator[Subject]:
    """node-opcua as a client."""
    modules = place.cache.node()
    command = ["node", str(PEERS / "node_client.js"), json.dumps(_peer(scenario, told))]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    folder = place.folder / "node-opcua"
    with started("node-opcua", command, folder, environment=environment, patience_s=_PATIENCE_S) as worker:
        yield Subject(worker, worker, npm_version(modules))


def npm_version(modules: Path) -> str:
    """The version of node-opcua that is installed."""
    return str(json.loads((modules / "node-opcua/package.json").read_text())["version"])


@contextmanager
def o6(scenario: Scenario, told: Told, place: Place) -> Iterator[Subject]:
    """o6 (open62541), when the user has installed it: its licence is theirs to judge, so it is never fetched."""
    if place.o6 is None:
        raise Absent("o6 is not installed: name a Python that has it with --peer-python")
    command = [str(place.o6), str(PEERS / "o6_client.py"), json.dumps(_peer(scenario, told)), str(_ROOT)]
    with started("o6", command, place.folder / "o6", patience_s=_PATIENCE_S) as worker:
        yield Subject(worker, worker, version_in(place.o6, "o6"))


@contextmanager
def thingsboard_gateway(scenario: Scenario, told: Told, place: Place) -> Iterator[Subject]:
    """thingsboard-gateway with its memory buffer; its values are counted where they arrive, at the broker."""
    python = place.cache.python("thingsboard-gateway", thingsboard.REQUIREMENTS)
    folder = place.folder / "thingsboard"
    with mosquitto(place.folder / "platform") as broker:
        thingsboard.configure(
            folder, broker=broker.port, url=told["url"], node=told["node"], items=scenario.items, sqlite=False
        )
        with (
            thingsboard.platform(place.folder / "platform", broker.port, scenario.items) as voice,
            thingsboard.running(python, folder) as worker,
        ):
            voice.hear("first", _PATIENCE_S)
            yield Subject(worker, voice, version_in(python, "thingsboard-gateway"))


@contextmanager
def paho(scenario: Scenario, told: Told, place: Place) -> Iterator[Subject]:
    """paho-mqtt with a callback that decodes each message."""
    plan = {"port": told["port"], "items": scenario.items, "qos": scenario.qos}
    with started("paho", module("peers.paho_client", plan), place.folder / "paho") as worker:
        yield Subject(worker, worker, version("paho-mqtt"))


def _peer(scenario: Scenario, told: Told) -> dict[str, Any]:
    keys = told["client"] if scenario.encrypted else {}
    return {
        "url": told["url"], "node": told["node"], "items": scenario.items, "publish_ms": scenario.publish_ms,
        "queue": scenario.queue, "keep": told.get("keep", False), **keys,
    }  # fmt: skip


CLIENTS: Final[dict[str, Start]] = {
    "ours": ours,
    "asyncua iterator": lambda scenario, told, place: asyncua(scenario, told, place, "iterator"),
    "asyncua handler": lambda scenario, told, place: asyncua(scenario, told, place, "handler"),
    "node-opcua": node_opcua,
    "o6": o6,
    "thingsboard-gateway": thingsboard_gateway,
    "paho": paho,
}
