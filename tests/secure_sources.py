"""OPC UA sources with security for tests: what they read, or in which words they are refused; and a tap on the wire."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asyncua.crypto.permission_rules import User, UserRole
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from secure_servers import DAY, POLICIES, Issued
from shopfloor.gateway.opcua import OpcuaOptions, OpcuaSource
from shopfloor.gateway.opcua.certificate import CertificateError, thumbprint
from shopfloor.gateway.opcua.own import OwnCertificates
from shopfloor.gateway.opcua.security import Security
from shopfloor.gateway.opcua.trust import TrustList
from shopfloor.plant import SourceLost

ASSET = "delta/frames/machining/cell-a/cnc-01"
EVERY = [f"{policy}_{mode}" for policy in POLICIES for mode in ("Sign", "SignAndEncrypt")]
BEST = "Basic256Sha256_SignAndEncrypt"
CLEAR = b"Machines"


class Passwords:
    """The user manager of an asyncua server: anna, right."""

    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        return User(role=UserRole.User) if (username, password) == ("anna", "right") else None


class Tap:
    """A TCP link that keeps what passes."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.passed = b""

    async def __aenter__(self) -> Tap:
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await asyncio.sleep(0.05)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.passed += data
            writer.write(data)
        writer.close()


def source(port: int, data: Path | None, **more: Any) -> OpcuaSource:
    base = {
        "url": f"opc.tcp://127.0.0.1:{port}/secure",
        "security": "Basic256Sha256",
        "publishing_interval": "50ms",
        "assets": {"Machines/CNC-01": ASSET},
        "tags": {"Load": "load"},
    }
    options = OpcuaOptions.model_validate(base | more)
    return OpcuaSource("m", options, security=Security(options, data))


async def read(source: OpcuaSource) -> float:
    async with source.open() as batches, asyncio.timeout(15):
        return float(next(iter(await anext(batches))).value)


async def refusal(source: OpcuaSource) -> str:
    with pytest.raises(SourceLost) as caught:
        await read(source)
    return str(caught.value)


def trusting(data: Path, *servers: Issued) -> TrustList:
    """A data folder that trusts these servers."""
    trust = TrustList(data / "pki")
    for server in servers:
        trust.wait(server.certificate, "opc.tcp://test")
        trust.approve(thumbprint(server.certificate))
    return trust


def own(data: Path) -> Path:
    """The file of the certificate that the gateway makes for itself."""
    return OwnCertificates(data / "pki" / "own").pairs()[0].file


def judge(folder: Path | str, names: list[str], offset: int) -> None:
    """Approve and reject in turn, again and again, as one of several processes."""
    trust = TrustList(Path(folder))
    for number in range(offset, offset + 60):
        with suppress(CertificateError):
            (trust.approve if number % 2 else trust.reject)(names[number % len(names)])


def revocations(issuer: Issued, revoked: Issued, signer: Issued) -> bytes:
    now = datetime.now(UTC)
    one = x509.RevokedCertificateBuilder(revoked.certificate.serial_number, now).build()
    builder = x509.CertificateRevocationListBuilder(
        issuer.certificate.subject, now, now + DAY, revoked_certificates=[one]
    )
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
