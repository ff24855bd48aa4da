"""Fixtures of the gateway's tests: an ingest server that keeps the rules, a plant, small OPC UA servers."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from prompt_server import PromptServer
from secure_servers import Issued, Stand, issue
from shopfloor.plant import Asset, AssetPath, Batch, Tag
from standard_nodes import filled_once
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ASSET = "delta/frames/machining/cell-a/cnc-01"


@dataclass
class Ingest:
    """What a historian promises, in memory: idempotent by sequence, gaps refused, the ledger checked."""

    port: int = 0
    token: str = ""
    batches: dict[tuple[str, int], Batch] = field(default_factory=dict)
    rejected: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    counts: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    healths: list[dict[str, Any]] = field(default_factory=list)
    mismatches: list[str] = field(default_factory=list)
    duplicates: int = 0
    refuse: Callable[[Batch], str] = lambda _batch: ""
    unavailable: bool = False
    keep: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def samples(self) -> list[Any]:
        return [sample for key in sorted(self.batches) for sample in self.batches[key]]

    def stored(self, source: str) -> int:
        return sum(counts[0] for (_, name), counts in self.counts.items() if name == source)

    async def ingest(self, request: Request) -> JSONResponse:
        body = await request.body()
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse({"detail": "unknown token"}, 401)
        if self.unavailable:
            return JSONResponse({"detail": "starting"}, 503, headers={"Retry-After": "1"})
        gateway, sequence = request.headers["x-gateway"], int(request.headers["x-sequence"])
        expected = self.expected.get(gateway, 1)
        if sequence < expected:
            self.duplicates += 1
            return JSONResponse({"stored": 0, "duplicate": True})
        if sequence > expected:
            return JSONResponse({"expected": expected}, 409)
        batch = Batch.from_bytes(body)
        sentence = self.refuse(batch)
        if sentence:
            return JSONResponse({"detail": sentence}, 422)
        self._count(request.headers["x-source"], gateway, 0, len(batch), int(request.headers["x-accepted"]))
        self.batches[gateway, sequence] = batch if self.keep else batch.take(slice(0, 0))
        self.expected[gateway] = sequence + 1
        return JSONResponse({"stored": len(batch), "duplicate": False})

    async def reject(self, request: Request) -> JSONResponse:
        body = await request.json()
        self._count(body["source"], body["gateway"], 1, body["values"], body["accepted"])
        self.rejected[body["gateway"], body["sequence"]] = body
        self.expected[body["gateway"]] = body["sequence"] + 1
        return JSONResponse({})

    async def health(self, request: Request) -> JSONResponse:
        self.healths.append(await request.json())
        return JSONResponse({})

    def _count(self, source: str, gateway: str, column: int, values: int, accepted: int) -> None:
        counts = self.counts.setdefault((gateway, source), [0, 0])
        counts[column] += values
        if sum(counts) != accepted:
            self.mismatches.append(f"{gateway} {source}: {counts} against {accepted}")

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/v1/ingest", self.ingest, methods=["POST"]),
                Route("/api/v1/ingest/rejected", self.reject, methods=["POST"]),
                Route("/api/v1/gateways/{gateway}/health", self.health, methods=["POST"]),
            ]
        )


class Listening:
    """uvicorn in a thread, which can be stopped and started again on its port."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest
        self.ingest.port = self.ingest.port or free_port()
        self.start()

    def start(self) -> None:
        config = uvicorn.Config(self.ingest.app(), port=self.ingest.port, log_level="error", lifespan="off")
        self.server = PromptServer(config)
        self.server.start()

    def stop(self) -> None:
        self.server.force_exit = True
        self.server.stop()


@dataclass
class SmallPlant:
    """The part of a plant file that connectors see."""

    assets: tuple[Asset, ...] = (Asset(AssetPath.parse(ASSET), "machine-tool", "CNC 01"),)
    tags: dict[str, Tag] = field(default_factory=dict)

    def tag(self, path: str) -> Tag | None:
        return self.tags.get(path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Any], within: float = 15.0) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s"
        await asyncio.sleep(0.02)


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    listening = Listening(Ingest())
    yield listening.ingest
    listening.stop()


@pytest.fixture
def restartable() -> Iterator[Listening]:
    listening = Listening(Ingest())
    yield listening
    listening.stop()


@pytest.fixture
def plant() -> SmallPlant:
    return SmallPlant()


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    return until


@asynccontextmanager
async def machines(port: int, values: dict[str, Any], more: Callable[..., Any] | None = None) -> AsyncIterator[Any]:
    """An asyncua server with Objects/Machines/CNC-01/<path> variables."""
    from asyncua import Server, ua

    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/shopfloor/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:test:machines")
    folder = await server.nodes.objects.add_object(space, "Machines")
    machine = await folder.add_object(space, "CNC-01")
    nodes, parents = {}, {(): machine}
    for path, value in values.items():
        parts = tuple(path.split("/"))
        for depth in range(1, len(parts)):
            if parts[:depth] not in parents:
                parents[parts[:depth]] = await parents[parts[: depth - 1]].add_object(space, parts[depth - 1])
        node = ua.NodeId(f"CNC-01.{'.'.join(parts)}", space)
        nodes[path] = await parents[parts[:-1]].add_variable(node, ua.QualifiedName(parts[-1], space), value)
    if more:
        await more(server, space, machine)
    async with server:
        server.test_nodes = nodes
        yield server


@pytest.fixture(scope="session", autouse=True)
def _nodes() -> Iterator[None]:
    with filled_once():
        yield


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """An asyncua server that is made once and served with any security."""
    made = Stand()
    yield made
    made.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """The certificate of a server that signs itself."""
    return issue(tmp_path_factory.mktemp("server"), "server")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A gateway's data folder, empty."""
    return tmp_path / "data"


@pytest.fixture
def machine_server() -> Callable[..., Any]:
    return machines


@pytest.fixture
def port() -> int:
    return free_port()
