"""The gateway's own certificate in `<data folder>/pki/own`: made at first use, renewed in time, the old one kept.

The folder holds `application_uri`, and per certificate a folder `<thumbprint>` with `certificate.der` and
`private_key.pem` (readable by the owner only). The newest is in use; one that a server does not know yet gives way to
the one before, while that is still valid, so that a renewal stops no data.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from shopfloor.gateway.opcua.certificate import (
    DER,
    LIFE,
    CertificateError,
    belong,
    make,
    read_certificate,
    read_key,
    thumbprint,
    uri_of,
)

RENEW_BELOW: Final = 0.2
"""Share of a certificate's life that remains when the next one is made."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    file: Path

    @property
    def uri(self) -> str:
        """The application URI that the certificate vouches for."""
        return uri_of(self.certificate)

    @property
    def expires(self) -> datetime:
        """The end of its life."""
        return self.certificate.not_valid_after_utc


def given(certificate: Path, key: Path, uri: str | None, now: datetime) -> Pair:
    """The pair that a person names by files; `CertificateError` when it cannot work."""
    pair = Pair(read_certificate(certificate), read_key(key), certificate)
    if not belong(pair.certificate, pair.key):
        raise CertificateError(f"{key} is not the private key of {certificate}: name the two files of one pair.")
    if not pair.uri:
        raise CertificateError(f"The certificate {certificate} has no application URI: make one that names it.")
    if uri is not None and uri != pair.uri:
        raise CertificateError(
            f"The certificate {certificate} is for the application {pair.uri}, 'application_uri' says {uri}:"
            " make the two the same."
        )
    _valid(pair, now)
    return pair


def _valid(pair: Pair, now: datetime) -> None:
    if pair.expires < now:
        raise CertificateError(
            f"This gateway's certificate {pair.file} ended on {pair.expires:%Y-%m-%d}: renew it, and let the server"
            " trust the new one."
        )
    if pair.certificate.not_valid_before_utc > now:
        raise CertificateError(
            f"This gateway's certificate {pair.file} is valid only from"
            f" {pair.certificate.not_valid_before_utc:%Y-%m-%d} on: check the clock of this machine."
        )


@dataclass(frozen=True, slots=True)
class OwnCertificates:
    """The certificates that this gateway made for itself."""

    folder: Path

    def pairs(self, now: datetime | None = None) -> list[Pair]:
        """All that are valid now, newest first; makes the first, and the next when the newest grows old."""
        now = now or datetime.now(UTC)
        found = self.valid(now)
        if not found or remaining(found[0], now) < RENEW_BELOW:
            self.renew(now)
            found = self.valid(now)
        return found

    def valid(self, now: datetime) -> list[Pair]:
        """What is there and valid, newest first; makes nothing."""
        pairs = [
            Pair(read_certificate(file), read_key(file.with_name("private_key.pem")), file)
            for file in self.folder.glob("*/certificate.der")
        ]
        current = [pair for pair in pairs if pair.certificate.not_valid_before_utc <= now <= pair.expires]
        return sorted(current, key=_age, reverse=True)

    def renew(self, now: datetime | None = None, life: timedelta = LIFE) -> Pair:
        """Make a new key and certificate for the same application; the old ones stay."""
        key, certificate = make(self.uri(), _hosts(), life, now)
        target = self.folder / thumbprint(certificate)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder, ignore_cleanup_errors=True) as made:
            _write(Path(made) / "private_key.pem", _pem(key))
            _write(Path(made) / "certificate.der", certificate.public_bytes(DER))
            Path(made).replace(target)
        return Pair(certificate, key, target / "certificate.der")

    def uri(self) -> str:
        """The application URI of this gateway: chosen once, kept for ever."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.folder / "application_uri"
        with suppress(FileExistsError), tempfile.NamedTemporaryFile("w", dir=self.folder) as made:
            made.write(f"urn:{socket.gethostname().lower()}:shopfloor:gateway:{secrets.token_hex(4)}")
            made.flush()
            os.link(made.name, file)
        return file.read_text().strip()


def remaining(pair: Pair, now: datetime) -> float:
    """Share of the certificate's life that is left."""
    life = pair.expires - pair.certificate.not_valid_before_utc
    return (pair.expires - now) / life


def _age(pair: Pair) -> tuple[datetime, int]:
    """A certificate counts whole seconds: of two made in the same one, the file that was written later is newer."""
    return pair.certificate.not_valid_before_utc, pair.file.stat().st_mtime_ns


def _hosts() -> tuple[str, ...]:
    """The name of this machine. The full one would ask a name server, which may be far or none."""
    name = socket.gethostname().lower()
    return (name,) if name.isascii() else ()


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, data: bytes) -> None:
    """Never readable by others, not even for a moment."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
