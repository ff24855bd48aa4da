"""Where causes for the doctor are produced for real: ports, OPC UA servers and certificates, wrong in one way each."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.monitored_item_service import MonitoredItemService
from secure_servers import Issued, Stand, issue
from secure_sources import revocations
from shopfloor.gateway.opcua.certificate import thumbprint
from shopfloor.gateway.opcua.trust import TrustList
from shopfloor.plant import Kind
from shopfloor.simulators.announce import Announcements
from shopfloor.simulators.condition import Condition
from shopfloor.simulators.opcua import DeviceServer
from shopfloor.simulators.tree import Variable

BEST = "Basic256Sha256_SignAndEncrypt"
SECURE = {"security": "Basic256Sha256"}
PLACES = 2


class Passwords:
    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        return User(role=UserRole.User) if (username, password) == ("anna", "geheim-17") else None


@dataclass
class Bench:
    """Where a cause is produced: what was made for it, and what its sentence says."""

    stand: Stand
    folder: Path
    port: int
    server: Issued
    node_opcua: Callable[[], int] = lambda: 0
    values: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    mapped: bool = False
    url: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def opcua(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/secure"

    def node(self, name: str) -> dict[str, Any]:
        return {"nodes": [{"node": f"ns=2;s=CNC-01.{name}", "tag": f"a/b/c/d/e/{name}"}]}

    def trust(self, *servers: Issued) -> TrustList:
        trust = TrustList(self.data / "pki")
        for server in servers:
            trust.wait(server.certificate, "opc.tcp://test")
            trust.approve(thumbprint(server.certificate))
        return trust

    def secret(self, text: str) -> str:
        (self.folder / "password").write_text(text)
        return str(self.folder / "password")


Producer = Callable[[Bench], Any]


def address(url: str) -> Producer:
    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        bench.url = url
        yield

    return produce


@asynccontextmanager
async def closed_port(bench: Bench) -> AsyncIterator[None]:
    bench.url = bench.opcua
    yield


@asynccontextmanager
async def full_backlog(bench: Bench) -> AsyncIterator[None]:
    """The kernel drops what asks for a connection when nobody accepts and the queue is full: silence."""
    bench.url = bench.opcua
    with closing(socket.create_server(("127.0.0.1", bench.port), backlog=0)):
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(("127.0.0.1", bench.port))
        await asyncio.sleep(0.1)
        yield
        for one in waiting:
            one.close()


def talker(answer: bytes | None, scheme: str = "opc.tcp", options: dict[str, Any] | None = None) -> Producer:
    """A server that answers every greeting with these bytes; None: never; b"": it hangs up."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if answer != b"":
                while await reader.read(4096):
                    if answer:
                        writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", bench.port)
        bench.url, bench.options = f"{scheme}://127.0.0.1:{bench.port}", options or {}
        yield
        server.close()
        await asyncio.sleep(0.05)

    return produce


@asynccontextmanager
async def web_server(bench: Bench) -> AsyncIterator[None]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", bench.port), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    bench.url = f"opc.tcp://127.0.0.1:{bench.port}"
    yield
    await asyncio.to_thread(server.shutdown)
    server.server_close()
    thread.join(5)


def asyncua(
    policies: list[str], options: dict[str, Any] | None = None, *, node: str = "", trusted: bool = True, **serving: Any
) -> Producer:
    """An asyncua server, trusted unless said otherwise."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        bench.url = bench.opcua
        bench.options = (bench.node(node) if node else {}) | (options or {})
        if trusted:
            bench.trust(bench.server)
        if "password_file" in bench.options:
            bench.options["password_file"] = bench.secret(bench.options["password_file"])
        async with bench.stand.serving(bench.port, bench.server, policies, **serving):
            yield

    return produce


def day(issued: Issued) -> str:
    return f"{issued.certificate.not_valid_after_utc:%Y-%m-%d}"


def certified(**change: Any) -> Producer:
    """An asyncua server whose certificate is trusted and odd."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        odd = issue(bench.folder, "odd", **change)
        bench.trust(odd)
        bench.url, bench.options = bench.opcua, SECURE
        bench.values = {"end": day(odd), "start": f"{odd.certificate.not_valid_before_utc:%Y-%m-%d %H:%M}"}
        async with bench.stand.serving(bench.port, odd, [BEST]):
            yield

    return produce


@asynccontextmanager
async def rejected(bench: Bench) -> AsyncIterator[None]:
    bench.trust(bench.server).reject(thumbprint(bench.server.certificate))
    async with asyncua([BEST], SECURE, trusted=False)(bench):
        yield


@asynccontextmanager
async def revoked(bench: Bench) -> AsyncIterator[None]:
    root = issue(bench.folder, "root", authority=True)
    plc = issue(bench.folder, "server", issuer=root)
    trusted = bench.data / "pki" / "trusted"
    for name, data in (("issuers/root.der", root.bytes), ("revoked/root.crl", revocations(root, plc, root))):
        (trusted / name).parent.mkdir(parents=True)
        (trusted / name).write_bytes(data)
    bench.server = plc
    async with asyncua([BEST], SECURE, trusted=False)(bench):
        yield


@asynccontextmanager
async def other_pinned(bench: Bench) -> AsyncIterator[None]:
    other = issue(bench.folder, "other")
    bench.values["file"] = other.der
    async with asyncua([BEST], SECURE | {"server_certificate": str(other.der)})(bench):
        yield


def own_files(odd: dict[str, Any], key: str = "mine") -> Producer:
    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        mine, other = issue(bench.folder, "mine", **odd), issue(bench.folder, "strange")
        pem = mine.pem if key == "mine" else other.pem
        bench.values = {"file": mine.der, "key": pem, "end": day(mine)}
        async with asyncua([BEST], SECURE | {"certificate": str(mine.der), "private_key": str(pem)})(bench):
            yield

    return produce


@asynccontextmanager
async def unknown_client(bench: Bench) -> AsyncIterator[None]:
    (bench.folder / "clients").mkdir()
    (bench.folder / "clients" / "somebody.der").write_bytes(bench.server.bytes)
    async with asyncua([BEST], SECURE, clients=bench.folder / "clients")(bench):
        yield


def node_opcua(options: dict[str, Any], *, busy: bool = False) -> Producer:
    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        bench.port, bench.options = bench.node_opcua(), options
        bench.url = bench.opcua
        async with AsyncExitStack() as stack:
            for _ in range(PLACES if busy else 0):
                await stack.enter_async_context(Client(bench.opcua))
            yield

    return produce


def server_value(name: str, value: Callable[[], Any], node: str = "Load") -> Producer:
    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        async with asyncua(["NoSecurity"], node=node)(bench), bench.stand.holding(name, value()):
            yield

    return produce


def alarms(conditions: bool | list[str] = True, *, offers: bool = False, events: int = 0, refresh: int = 0) -> Producer:
    """A simulated machine that `offers` alarms or none, and refuses to send events or to tell what stands."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        given = [Condition("A.Dry", "A.Load", "A", "Dry", "No coolant.", 700)] if offers else []
        device = DeviceServer(
            [Variable(("A", "Load"), Kind.FLOAT)], port=bench.port, namespace="urn:a", conditions=given
        )
        bench.url, bench.options = device.url, {"security": "none", "conditions": conditions}
        async with device:
            await device.write([(0, 1.0, time.time_ns(), 0)])
            with pytest.MonkeyPatch.context() as refusing:
                if events:
                    refused = ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(events))
                    refusing.setattr(MonitoredItemService, "_create_events_monitored_item", lambda *_: refused)
                if refresh:
                    refusing.setattr(Announcements, "_refresh", lambda *_: asyncio.sleep(0, refresh))
                yield

    return produce


@asynccontextmanager
async def short_queue(bench: Bench) -> AsyncIterator[None]:
    bench.stand.server.iserver.max_monitored_item_queue_size = 7
    async with asyncua(["NoSecurity"], {"queue": 500}, node="Load")(bench):
        yield
    bench.stand.server.iserver.max_monitored_item_queue_size = 10_000
