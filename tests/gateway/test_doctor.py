"""The connection doctor: every cause produced for real, over real sockets; the exact sentence and fix; the ladder."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.crypto.permission_rules import User, UserRole
from brokers import Broker, free_port, mosquitto_broker, nats_broker, running
from doctor_cases import CASES, Case, row
from modbus_device import modbus_device
from secure_servers import Issued, Stand, issue, node_server, revocations
from shopfloor.gateway.doctor import Finding, State, examine, steps_of
from shopfloor.gateway.doctor import main as command
from shopfloor.gateway.opcua.certificate import thumbprint
from shopfloor.gateway.opcua.trust import TrustList
from shopfloor.services.cli import main

BEST = "Basic256Sha256_SignAndEncrypt"
SECURE = {"security": "Basic256Sha256"}
PLACES = 2
WATER = """
plant: {{site: delta}}
types: {{pump: {{}}}}
assets: [{{path: delta/water/hall/cell-1/pump-1, type: pump}}]
sources:
  - name: pumps
    kind: modbus
    url: modbus://127.0.0.1:{port}
    timeout: 2s
    groups:
      - {{every: 500ms, registers: [{{tag: delta/water/hall/cell-1/pump-1/flow, table: input, address: 0}}]}}
"""
PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


class Passwords:
    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        return User(role=UserRole.User) if (username, password) == ("anna", "right") else None


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


def modbus(address: int, *, once: bool = False) -> Producer:
    """A device with 400 registers in unit 2, of which two are read from this address; `once`: by one client only."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        names = ("flow", "pressure")
        registers = [
            {"tag": name, "table": "input", "address": address + 2 * n, "type": "float32"}
            for n, name in enumerate(names)
        ]
        group = {"every": "500ms", "assets": [{"path": "delta/water/hall/cell-1/pump-1"}], "registers": registers}
        bench.url, bench.mapped = f"modbus://127.0.0.1:{bench.port}", True
        bench.options = {"url": bench.url, "unit": 2, "timeout": "1s", "groups": [group]}
        async with modbus_device(bench.port, (2,)) as device:
            device.words("input", 0, 0x41AC, 0, unit=2)
            if once:
                device.judge = lambda _unit, function, *_: device.drop() if function == 4 else None
            yield

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


def certified(**change: Any) -> Producer:
    """An asyncua server whose certificate is trusted and odd."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        odd = issue(bench.folder, "odd", **change)
        bench.trust(odd)
        bench.url, bench.options = bench.opcua, SECURE
        bench.values = {"end": odd.certificate.not_valid_after_utc, "start": odd.certificate.not_valid_before_utc}
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
        bench.values = {"file": mine.der, "key": pem, "end": mine.certificate.not_valid_after_utc}
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


@asynccontextmanager
async def short_queue(bench: Bench) -> AsyncIterator[None]:
    bench.stand.server.iserver.max_monitored_item_queue_size = 7
    async with asyncua(["NoSecurity"], {"queue": 500}, node="Load")(bench):
        yield
    bench.stand.server.iserver.max_monitored_item_queue_size = 10_000


def broker(
    lines: str = "", options: dict[str, Any] | None = None, *, scheme: str = "mqtt", odd: dict[str, Any] | None = None,
    says: tuple[str, bytes] | None = None, retain: bool = False, mapped: bool = False,
) -> Producer:  # fmt: skip
    """A mosquitto with these lines in its configuration; with `odd`, encrypted by such a certificate."""

    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        bench.url, bench.mapped = f"{scheme}://127.0.0.1:{bench.port}", mapped
        made = configured(bench, lines, odd)
        bench.options |= options or {}
        if "password_file" in bench.options:
            bench.options["password_file"] = bench.secret(bench.options["password_file"])
        bench.options = {key: value for key, value in bench.options.items() if value}
        with running(made):
            async with talking(bench.port, says, retain=retain):
                yield

    return produce


def configured(bench: Bench, lines: str, odd: dict[str, Any] | None) -> Broker:
    made = mosquitto_broker(bench.folder, bench.port)
    text = Path(made.command[-1]).read_text()
    if odd is not None:
        root = issue(bench.folder, "root", authority=True)
        own = issue(bench.folder, "broker", issuer=root, **odd)
        text += f"certfile {own.der.with_suffix('.pem')}\nkeyfile {own.pem}\ncafile {root.der.with_suffix('.pem')}\n"
        bench.options["ca_file"] = str(root.der.with_suffix(".pem"))
    if "password_file" in lines:
        make = ["mosquitto_passwd", "-b", "-c", str(bench.folder / "users"), "anna", "right"]
        subprocess.run(make, check=True, capture_output=True)
        text = text.replace("allow_anonymous true", "")
    Path(made.command[-1]).write_text(text + lines.format(folder=bench.folder))
    return made


@asynccontextmanager
async def talking(port: int, says: tuple[str, bytes] | None, *, retain: bool) -> AsyncIterator[None]:
    """A device that publishes the same message again and again, or once to be kept."""
    from paho.mqtt import client as paho

    if says is None:
        yield
        return
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(*says, retain=retain, qos=1).wait_for_publish(5)

    async def on() -> None:
        while not retain:
            client.publish(*says)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(on())
    yield
    task.cancel()
    client.disconnect()
    client.loop_stop()


def more(file: Path, lines: str) -> None:
    file.write_text(file.read_text() + lines)


def nats(options: dict[str, Any], lines: str = "") -> Producer:
    @asynccontextmanager
    async def produce(bench: Bench) -> AsyncIterator[None]:
        made = nats_broker(bench.folder, bench.port)
        more(Path(made.command[-1]), lines)
        bench.url, bench.options = made.url, dict(options)
        if "password_file" in options:
            bench.options["password_file"] = bench.secret(options["password_file"])
        with running(made):
            yield

    return produce


LOGIN = {"user": "anna", "password_file": "right"}
WRONG = {"user": "anna", "password_file": "wrong"}
TOPICS = {"topics": [{"topic": "plant/{tag}", "tag": "a/b/c/d/e/{tag}", "value": "v"}]}
DENIED = """
authorization { users = [{ user: "anna", password: "right", permissions: { subscribe: { deny: "secret.>" } } }] }
"""
PAUSED = lambda: ua.ServerState.Suspended.value  # noqa: E731


def clock() -> Any:
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)


PRODUCERS: dict[str, Producer] = {
    "address-scheme": address("http://plc-17"),
    "address-broken": address("opc.tcp://plc-17:99999"),
    "address-password": address("opc.tcp://anna:right@plc-17:4840"),
    "name-unknown": address("opc.tcp://no-such-plc.invalid:4840"),
    "port-refused": closed_port,
    "port-silent": full_backlog,
    "host-unreachable": address("opc.tcp://255.255.255.255:4840"),
    "silent": talker(None),
    "hangs-up": talker(b""),
    "speaks-http": web_server,
    "speaks-ssh": talker(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "speaks-mqtt": lambda bench: _renamed(bench, broker(), "opc.tcp"),
    "speaks-tls": broker(scheme="mqtt", odd={}, options={"ca_file": ""}),
    "speaks-opcua": lambda bench: _renamed(bench, asyncua(["NoSecurity"]), "mqtt"),
    "path-unknown": talker(b"ERRF" + (16).to_bytes(4, "little") + (0x80830000).to_bytes(4, "little") + b"\xff" * 4),
    "policy-not-offered": asyncua([BEST], {"security": "Aes256Sha256RsaPss"}),
    "mode-not-offered": asyncua([BEST], {"security": "Basic256Sha256", "mode": "Sign"}),
    "security-none": asyncua(["NoSecurity"], node="Load"),
    "security-weak": asyncua(["Basic256_SignAndEncrypt"], {"security": "Basic256"}),
    "server-certificate-unknown": asyncua([BEST], SECURE, trusted=False),
    "server-certificate-rejected": rejected,
    "server-certificate-expired": certified(days=(-10, -1)),
    "server-certificate-early": certified(days=(1, 10)),
    "server-certificate-host": certified(hosts=("plc-17",)),
    "server-certificate-uri": certified(uri="urn:other"),
    "server-certificate-revoked": revoked,
    "server-certificate-other": other_pinned,
    "own-certificate": own_files({"days": (-10, -1)}),
    "own-certificate-other-key": own_files({}, key="strange"),
    "own-certificate-ends": own_files({"days": (-300, 10)}),
    "client-untrusted": unknown_client,
    "login-needed": asyncua([BEST], SECURE, tokens=[ua.UserNameIdentityToken]),
    "login-not-offered": asyncua([BEST], SECURE | LOGIN, tokens=[ua.AnonymousIdentityToken]),
    "password-in-clear": asyncua(["NoSecurity"], LOGIN),
    "user-refused": asyncua([BEST], SECURE | WRONG, users=Passwords()),
    "too-many-sessions": node_opcua({"security": "none"}, busy=True),
    "variables-unknown": asyncua(["NoSecurity"], {"assets": {"Machines/None": "a/b/c/d/e"}, "tags": {"Load": "load"}}),
    "variable-unknown": asyncua(["NoSecurity"], node="Lode"),
    "not-readable": asyncua(["NoSecurity"], node="Hidden"),
    "value-bad": asyncua(["NoSecurity"], node="Broken"),
    "value-empty": asyncua(["NoSecurity"], node="Empty"),
    "no-change": asyncua(["NoSecurity"], node="Load"),
    "server-paused": server_value("Server_ServerStatus_State", PAUSED),
    "sampling-slow": node_opcua({"security": "none", "nodes": [{"node": "ns=1;s=Slow", "tag": "a/b/c/d/e/f"}]}),
    "clock-differs": server_value("Server_ServerStatus_CurrentTime", clock),
    "queue-shortened": short_queue,
    "tls-untrusted": broker(scheme="mqtts", odd={}, options={"ca_file": ""}),
    "tls-host": broker(scheme="mqtts", odd={"hosts": ("broker-3",)}),
    "tls-expired": broker(scheme="mqtts", odd={"days": (-10, -1)}),
    "tls-early": broker(scheme="mqtts", odd={"days": (1, 10)}),
    "tls-plain": broker(scheme="mqtts"),
    "tls-files": broker(scheme="mqtts", options={"ca_file": "/nowhere/ca.pem"}),
    "client-certificate-needed": broker("require_certificate true\n", scheme="mqtts", odd={}),
    "not-encrypted": broker("password_file {folder}/users\n", LOGIN),
    "not-authorised": broker("password_file {folder}/users\n", WRONG),
    "broker-login-needed": broker("password_file {folder}/users\n"),
    "mqtt-version": nats({"version": "5"}),
    "client-id-refused": talker(bytes.fromhex("20 02 00 02"), "mqtt", {"version": "3.1.1"}),
    "subscription-refused": nats(LOGIN | {"topics": [{"topic": "secret/x", "tag": "a/b/c/d/e/f"}]}, DENIED),
    "no-message": broker(options=TOPICS),
    "only-retained": broker(options=TOPICS, says=("plant/load", b'{"v": 1}'), retain=True),
    "no-json": broker(options=TOPICS, says=("plant/load", b"17;18")),
    "does-not-fit": broker(options=TOPICS, says=("plant/load", b'{"w": 1}'), mapped=True),
    "unit-silent": talker(bytes.fromhex("0001 0000 0003 01 83 0b"), "modbus"),
    "register-unknown": talker(bytes.fromhex("0001 0000 0003 01 83 02"), "modbus"),
    "one-connection": modbus(0, once=True),
    "register-refused": modbus(900),
    "orders-unknown": modbus(0),
}  # fmt: skip


@asynccontextmanager
async def _renamed(bench: Bench, produce: Producer, scheme: str) -> AsyncIterator[None]:
    async with produce(bench):
        bench.url, bench.options = f"{scheme}://127.0.0.1:{bench.port}", {}
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issue(tmp_path_factory.mktemp("server"), "server")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, server: Issued) -> Iterator[Callable[[], int]]:
    """The port of a node-opcua server with few places, started when it is first asked for."""
    stack, ports = ExitStack(), []

    def started() -> int:
        if not ports:
            port, folder = free_port(), tmp_path_factory.mktemp("node")
            stack.enter_context(node_server(port, folder, server, ["None"], modes=["None"], sessions=PLACES))
            ports.append(port)
        return ports[0]

    with stack:
        yield started


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopfloor.gateway.doctor.network.CONNECT_S", 1.0)
    monkeypatch.setattr("shopfloor.gateway.doctor.opcua._HELLO_S", 1.5)
    monkeypatch.setattr("shopfloor.gateway.doctor.mqtt_visit.ANSWER_S", 1.5)
    monkeypatch.setattr("shopfloor.gateway.doctor.speech._ANSWER_S", 0.4)


async def found(bench: Bench) -> list[Finding]:
    walk = examine(bench.url, bench.options, data=bench.data, seconds=0.8, mapped=bench.mapped)
    return [finding async for finding in walk]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_cause_is_said_in_plain_words(
    case: Case, stand: Stand, tmp_path: Path, server: Issued, node: Callable[[], int]
) -> None:
    bench = Bench(stand, tmp_path, free_port(), server, node)
    async with PRODUCERS[case.name](bench):
        findings = await found(bench)
    said = next((one for one in findings if one.cause == case.cause), None)
    assert said is not None, [one for one in findings if one.cause]
    values = {"port": bench.port, "data": bench.data, "thumbprint": thumbprint(bench.server.certificate)}
    values |= {"span": span(bench.server), "folder": tmp_path} | bench.values
    if "{age}" in case.why:
        values["age"] = re.sub(r".* is (\d+ (s|min)) old\.", r"\1", said.why)
    assert said.why == case.why.format(**values)
    assert said.fix == case.fix.format(**values)
    assert (said.step, said.state) == (case.step, case.state)
    assert "right" not in said.why + said.fix.replace("right to", "").replace("rights", "")
    assert [one.step for one in findings] == list(steps_of(bench.url))


def span(server: Issued) -> str:
    known = server.certificate
    return f"{known.not_valid_before_utc:%Y-%m-%d} to {known.not_valid_after_utc:%Y-%m-%d}"


def test_every_cause_is_produced() -> None:
    assert {case.name for case in CASES} == set(PRODUCERS)
    assert len({case.cause for case in CASES}) >= 25


def test_the_page_has_every_cause() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [row(case) for case in CASES]


async def test_a_sound_connection(stand: Stand, tmp_path: Path, server: Issued) -> None:
    bench = Bench(stand, tmp_path, free_port(), server)
    async with asyncua([BEST], SECURE, node="Counter", counting=0.1)(bench):
        findings = await found(bench)
    assert {one.state for one in findings} == {State.OK}
    assert re.fullmatch(r"\d+ changes came within 0\.8 s\.", findings[-3].why)


async def test_the_sessions_end_with_the_examination(stand: Stand, tmp_path: Path, server: Issued) -> None:
    bench = Bench(stand, tmp_path, free_port(), server)
    async with asyncua(["NoSecurity"], node="Load")(bench):
        for _ in range(2):
            await found(bench)
        inside = stand.server.iserver
        assert len(inside._external_sessions) == 0
        assert len(inside.subscription_service.subscriptions) == 0


async def test_the_ladder_and_the_json(
    stand: Stand, tmp_path: Path, server: Issued, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(stand, tmp_path, free_port(), server)
    async with asyncua([BEST], trusted=False)(bench):
        arguments = ["doctor", bench.url, "--security", "Basic256Sha256", "--data", str(bench.data), "--seconds", "1"]
        assert await asyncio.to_thread(main, arguments) == 1
        shown = capsys.readouterr().out.splitlines()
        assert await asyncio.to_thread(main, [*arguments, "--json"]) == 1
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert shown[0] == bench.url
    assert shown[1] == f"  ✓ address             Host 127.0.0.1, port {bench.port}."
    assert shown[7].startswith("  ✗ server certificate  The server opc.tcp://127.0.0.1:")
    assert shown[8].startswith(
        "                        → Compare the thumbprint with the server's own, then run `shopfloor"
    )
    assert shown[9].startswith("  · not reached: own certificate, channel, session, login, browse")
    assert shown[10:] == ["Fails at: server certificate."]
    assert [one["step"] for one in rows] == list(steps_of(bench.url))
    assert {one["state"] for one in rows} == {"ok", "failed", "skipped"}


def test_a_source_of_a_plant_file_is_examined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    file = tmp_path / "plant.yaml"
    file.write_text(PLANT.format(port=port))
    assert main(["doctor", "--config", str(file), "--source", "press"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(f"opc.tcp://127.0.0.1:{port}/press\n")
    assert "→ Start the server on it, or correct the port in the address." in shown
    assert main(["doctor", "--config", str(file), "--source", "pres"]) == 2
    assert "has no source 'pres': choose one of press." in capsys.readouterr().err
    assert main(["doctor", "--config", str(file)]) == 2
    assert main(["doctor"]) == 2
    capsys.readouterr()


async def test_durations_of_a_plant_file_reach_the_examiner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    file = tmp_path / "plant.yaml"
    file.write_text(WATER.format(port=port))
    async with modbus_device(port):
        assert await asyncio.to_thread(main, ["doctor", "--config", str(file), "--source", "pumps"]) == 0
    assert "Every register was read" in capsys.readouterr().out


def test_a_password_in_the_address_is_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "opc.tcp://anna:geheim@127.0.0.1:1"]) == 1
    assert "geheim" not in capsys.readouterr().out


def test_colours_only_for_people() -> None:
    finding = Finding("port", State.FAILED, "No.", "Do.", "x")
    (first, _) = command.Ladder(4, colour=True).rung(finding)
    assert first == "  \x1b[31;1m✗ port\x1b[0m  No."
    assert not any("\x1b" in line for line in command.Ladder(4).rung(finding))


PLANT = """\
plant: {{site: delta}}
types:
  press:
    title: Press
    tags:
      load: {{unit: "%", title: Load}}
assets:
  - {{path: delta/frames/line/cell-a/press-1, type: press, title: Press 1}}
sources:
  - name: press
    kind: opcua
    url: opc.tcp://127.0.0.1:{port}/press
    security: none
    assets: {{Press: delta/frames/line/cell-a/press-1}}
    tags: {{Load: load}}
"""
