"""OPC UA servers with security for tests: asyncua in a thread, node-opcua as a process; certificates of every kind."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = Path(__file__).parent / "foreign" / "node_opcua"
INSTALLED = [FOLDER / "node_modules", FOLDER.parents[2] / "build" / "node_opcua" / "node_modules"]
URI = "urn:test:server"
DAY = timedelta(days=1)
POLICIES = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss", "Basic128Rsa15", "Basic256")
NODE_NAMES = {"Aes128Sha256RsaOaep": "Aes128_Sha256_RsaOaep", "Aes256Sha256RsaPss": "Aes256_Sha256_RsaPss"}
_LEGACY = ["--security-revert=CVE-2023-46809"]
"""Without it Node.js refuses the padding of Basic128Rsa15."""


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, also as files."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    der: Path
    pem: Path

    @property
    def bytes(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def issue(
    folder: Path,
    name: str,
    uri: str = URI,
    hosts: Sequence[str] = ("127.0.0.1", "localhost"),
    days: tuple[float, float] = (-1, 300),
    issuer: Issued | None = None,
    authority: bool = False,
) -> Issued:
    """Make a certificate that begins and ends so many days from now, signed by itself or by an issuer."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    start, end = (now + DAY * day for day in days)
    above = issuer.certificate.subject if issuer else subject
    signer = issuer.key if issuer else key
    usage = {"digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_cert_sign"}
    builder = (
        x509.CertificateBuilder(above, subject, key.public_key(), x509.random_serial_number(), start, end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_usage(usage | ({"crl_sign"} if authority else set())), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not authority:
        names = [x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
        more = [x509.UniformResourceIdentifier(uri)] if uri else []
        roles = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName([*more, *names]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(roles), critical=False)
    return save(folder, name, builder.sign(signer, hashes.SHA256()), key)


def _usage(wanted: set[str]) -> x509.KeyUsage:
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    every += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in wanted for name in every})


def save(folder: Path, name: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> Issued:
    der, pem = folder / f"{name}.der", folder / f"{name}.key.pem"
    der.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return Issued(certificate, key, der, pem)


class Stand:
    """One asyncua server in a thread of its own: made once, as that takes seconds, then served in many ways."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server, self.nodes = self.do(self._make())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something beside the server and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(180)

    def close(self) -> None:
        self.do(self.server.iserver.stop())
        self.do(_cancelled())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def _make(self) -> tuple[Any, dict[str, Any]]:
        from asyncua import Server, ua

        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
        logging.getLogger("asyncuagds").setLevel(logging.CRITICAL + 1)
        server = Server()
        await server.init()
        await server.set_application_uri(URI)
        space = await server.register_namespace("urn:test:machines")
        folder = await server.nodes.objects.add_object(space, "Machines")
        machine = await folder.add_object(space, "CNC-01")
        nodes = {}
        for name, value in {"Load": 1.5, "Broken": 0.0, "Hidden": 2.5, "Counter": 0.0, "Empty": None}.items():
            node = ua.NodeId(f"CNC-01.{name}", space)
            nodes[name] = await machine.add_variable(node, ua.QualifiedName(name, space), ua.Variant(value))
        await nodes["Broken"].write_value(ua.DataValue(ua.Variant(0.0), ua.StatusCode(0x808C0000)))
        for attribute in (ua.AttributeIds.AccessLevel, ua.AttributeIds.UserAccessLevel):
            await nodes["Hidden"].write_attribute(attribute, ua.DataValue(ua.Variant(0, ua.VariantType.Byte)))
        await server.iserver.start()
        return server, nodes

    @asynccontextmanager
    async def serving(
        self,
        port: int,
        own: Issued | None,
        policies: Sequence[str],
        *,
        clients: Path | None = None,
        users: Any = None,
        tokens: Sequence[Any] = (),
        counting: float = 0.0,
    ) -> AsyncIterator[Any]:
        """Policies as asyncua names them, as in Basic256Sha256_Sign or NoSecurity; `clients` is a folder of files."""
        work = self._start(port, own, policies, clients, users, tokens, counting)
        stop = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))
        try:
            yield self.server
        finally:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(stop(), self.loop))

    @contextmanager
    def served(self, port: int, own: Issued, policies: Sequence[str], counting: float) -> Iterator[str]:
        """The same for a test without an event loop; gives the address."""
        stop = self.do(self._start(port, own, policies, None, None, (), counting))
        try:
            yield f"opc.tcp://127.0.0.1:{port}/secure"
        finally:
            self.do(stop())

    async def _start(
        self,
        port: int,
        own: Issued | None,
        policies: Sequence[str],
        clients: Path | None,
        users: Any,
        tokens: Sequence[Any],
        counting: float,
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        from asyncua import ua
        from asyncua.server.binary_server_asyncio import BinaryServer
        from asyncua.server.user_managers import PermissiveUserManager

        server, inside = self.server, self.server.iserver
        inside.endpoints, server._policies, server._discovery_handle = [], [], None
        inside.certificate, inside.private_key = (own.certificate, own.key) if own else (None, None)
        inside.user_manager = users or PermissiveUserManager()
        inside.certificate_validator = await _validator(clients)
        every = (ua.AnonymousIdentityToken, ua.X509IdentityToken, ua.UserNameIdentityToken)
        inside.supported_tokens = tuple(tokens) or every
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/secure")
        server._security_policy = [getattr(ua.SecurityPolicyType, name) for name in policies]
        await server._setup_server_nodes()
        listening = BinaryServer(inside, "127.0.0.1", port, server.limits)
        listening.set_policies(server._policies)
        await listening.start()
        ticks = asyncio.create_task(self._count(counting)) if counting else None

        async def stop() -> None:
            if ticks:
                ticks.cancel()
            await listening.stop()

        return stop

    @asynccontextmanager
    async def holding(self, name: str, value: Any) -> AsyncIterator[None]:
        """Another value in a variable of the server's own, for a while; its clock stands still meanwhile."""
        from asyncua import ua

        node, inside = self.server.get_node(ua.NodeId(getattr(ua.ObjectIds, name))), self.server.iserver
        before = self.do(node.read_data_value())
        inside._time_task_stop = True
        self.do(_done(inside.time_task))
        self.do(node.write_value(ua.DataValue(ua.Variant(value, before.Value.VariantType))))
        try:
            yield
        finally:
            self.do(node.write_value(before.Value))
            inside._time_task_stop = False
            inside.time_task = self.do(_begin(inside._set_current_time_loop()))

    async def _count(self, every: float) -> None:
        count = 0.0
        while True:
            count += 1
            await self.nodes["Counter"].write_value(count)
            await asyncio.sleep(every)


async def _cancelled() -> None:
    """Sessions that a client left behind have tasks."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _done(task: Any) -> None:
    await task


async def _begin(work: Coroutine[Any, Any, None]) -> Any:
    return asyncio.get_running_loop().create_task(work)


async def _validator(clients: Path | None) -> Any:
    from asyncua.crypto.truststore import TrustStore
    from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions

    if clients is None:
        return None
    store = TrustStore([clients], [])
    await store.load()
    wanted = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
    return CertificateValidator(wanted, store)


@contextmanager
def node_server(
    port: int,
    folder: Path,
    own: Issued,
    policies: Sequence[str],
    *,
    modes: Sequence[str] = ("SignAndEncrypt", "Sign"),
    clients: Sequence[Path] = (),
    users: Sequence[Path] = (),
    anonymous: bool = True,
    sessions: int = 100,
) -> Iterator[None]:
    """A node-opcua server at opc.tcp://127.0.0.1:<port>/secure."""
    modules = next((path for path in INSTALLED if (path / "node-opcua").is_dir()), None)
    node = shutil.which("node")
    if modules is None or node is None:
        sentence = "node-opcua is not installed: run 'npm ci' in tests/foreign/node_opcua."
        pytest.fail(sentence) if os.environ.get("CI", "").lower() == "true" else pytest.skip(sentence)
    wish = {
        "port": port,
        "folder": str(folder),
        "certificate": str(own.der.with_suffix(".pem")),
        "key": str(own.pem),
        "uri": URI,
        "policies": [NODE_NAMES.get(name, name) for name in policies],
        "modes": list(modes),
        "clients": [str(path) for path in clients],
        "users": [str(path) for path in users],
        "anonymous": anonymous,
        "sessions": sessions,
    }
    log = (folder / f"node-{port}.log").open("wb")
    process = subprocess.Popen(
        [node, *_LEGACY, str(FOLDER / "secure.js"), json.dumps(wish)],
        env=os.environ | {"NODE_PATH": str(modules)},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    try:
        while not process.stdout.readline().startswith("ready"):
            assert process.poll() is None, Path(log.name).read_text()[-2000:]
        yield
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
        log.close()
