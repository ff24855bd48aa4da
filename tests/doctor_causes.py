"""How each cause of docs/doctor.md is produced, by its name there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from doctor_bench import (
    BEST,
    SECURE,
    Bench,
    Passwords,
    Producer,
    address,
    alarms,
    asyncua,
    certified,
    closed_port,
    full_backlog,
    node_opcua,
    other_pinned,
    own_files,
    rejected,
    revoked,
    server_value,
    short_queue,
    talker,
    unknown_client,
    web_server,
)  # fmt: skip
from doctor_brokers import broker, nats
from doctor_devices import modbus

LOGIN = {"user": "anna", "password_file": "geheim-17"}
WRONG = {"user": "anna", "password_file": "wrong"}
TOPICS = {"topics": [{"topic": "plant/{tag}", "tag": "a/b/c/d/e/{tag}", "value": "v"}]}
DENIED = """
authorization { users = [{ user: "anna", password: "geheim-17", permissions: { subscribe: { deny: "secret.>" } } }] }
"""
PAUSED = lambda: ua.ServerState.Suspended.value  # noqa: E731


def clock() -> Any:
    return datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)


PRODUCERS: dict[str, Producer] = {
    "address-scheme": address("http://plc-17"),
    "address-broken": address("opc.tcp://plc-17:99999"),
    "address-password": address("opc.tcp://anna:geheim-17@plc-17:4840"),
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
    "security-none-2": asyncua(["NoSecurity", BEST], node="Load"),
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
    "own-certificate-2": own_files({}, key="strange"),
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
    "conditions-none": alarms(),
    "conditions-notifier": alarms(["i=2253", "i=85"], offers=True),
    "conditions-denied": alarms(events=ua.StatusCodes.BadUserAccessDenied),
    "conditions-not-told": alarms(offers=True, refresh=ua.StatusCodes.BadNotImplemented),
    "tls-untrusted": broker(scheme="mqtts", odd={}, options={"ca_file": ""}),
    "tls-host": broker(scheme="mqtts", odd={"hosts": ("broker-3",)}),
    "tls-expired": broker(scheme="mqtts", odd={"days": (-10, -1)}),
    "tls-early": broker(scheme="mqtts", odd={"days": (1, 10)}),
    "tls-plain": broker(scheme="mqtts"),
    "tls-files": broker(scheme="mqtts", options={"ca_file": "/nowhere/ca.pem"}),
    "client-certificate-needed": broker("require_certificate true\n", scheme="mqtts", odd={}),
    "not-encrypted": broker("password_file {folder}/users\n", LOGIN),
    "not-authorised": broker("password_file {folder}/users\n", WRONG),
    "login-needed-2": broker("password_file {folder}/users\n"),
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
