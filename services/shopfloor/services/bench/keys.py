"""Certificates of an encrypted run, made for it and thrown away after it."""

from __future__ import annotations

from pathlib import Path

from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID


async def certify(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Certificate and private key of the server and of the client, as files in a folder that exists."""
    server = await _pair(folder, "server", "urn:shopfloor:bench:server", ExtendedKeyUsageOID.SERVER_AUTH)
    client = await _pair(folder, "client", "urn:shopfloor:gateway", ExtendedKeyUsageOID.CLIENT_AUTH)
    return server, client


async def _pair(folder: Path, name: str, uri: str, use: object) -> dict[str, str]:
    key, certificate = folder / f"{name}.pem", folder / f"{name}.der"
    await setup_self_signed_certificate(key, certificate, uri, "127.0.0.1", [use], {"organizationName": "Shopfloor"})
    return {"certificate": str(certificate), "private_key": str(key)}
