"""Certificates of OPC UA applications: read, make, name, compare (OPC 10000-6, section 6.2.2).

>>> key, certificate = make("urn:plant:gateway", ("plant",))
>>> uri_of(certificate), hosts_of(certificate), belong(certificate, key)
('urn:plant:gateway', ('plant',), True)
>>> len(thumbprint(certificate))
40
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from shopfloor.plant import ShopfloorError

KEY_BITS: Final = 2048
"""What every policy takes: the deprecated ones forbid more, the others forbid less."""
LIFE: Final = timedelta(days=365)
_ONE_SECOND: Final = timedelta(seconds=1)
_PEM: Final = b"-----BEGIN"
DER: Final = serialization.Encoding.DER


class CertificateError(ShopfloorError):
    """A file that is no certificate or key, or does not fit."""


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-1 of the DER bytes, as servers and their tools show it. A name to compare by; trust compares all bytes."""
    return hashlib.sha1(certificate.public_bytes(DER), usedforsecurity=False).hexdigest().upper()


def subject_of(certificate: x509.Certificate) -> str:
    """The subject as text, as in CN=PLC 17,O=Works."""
    return certificate.subject.rfc4514_string() or "without a name"


def uri_of(certificate: x509.Certificate) -> str:
    """The application URI inside; empty when there is none."""
    names = _names(certificate)
    return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "") if names else ""


def hosts_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Host names and addresses inside, in lower case."""
    names = _names(certificate)
    if names is None:
        return ()
    hosts = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return tuple(host.lower() for host in hosts)


def span_of(certificate: x509.Certificate) -> str:
    """From when to when it is valid, as text."""
    return f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"


def belong(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bool:
    """Whether the key is the certificate's."""
    return certificate.public_key() == key.public_key()


def read_certificate(file: Path, what: str = "certificate") -> x509.Certificate:
    """The first certificate of a PEM or DER file; `CertificateError` says what is wrong with it."""
    data = _read(file, what)
    try:
        return x509.load_pem_x509_certificate(data) if _PEM in data else split(data)[0]
    except (ValueError, IndexError) as problem:
        raise CertificateError(f"The file {file} holds no {what}: give one in PEM or DER form.") from problem


def read_key(file: Path) -> rsa.RSAPrivateKey:
    """The RSA key of a PEM or DER file without a passphrase."""
    data = _read(file, "private key")
    load = serialization.load_pem_private_key if _PEM in data else serialization.load_der_private_key
    try:
        key = load(data, None)
    except (ValueError, TypeError) as problem:
        raise CertificateError(
            f"The file {file} holds no private key that can be read: give one in PEM or DER form, without a passphrase."
        ) from problem
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CertificateError(f"The key in {file} is no RSA key: the policies of OPC UA used here need one.")
    return key


def split(data: bytes) -> list[x509.Certificate]:
    """A certificate and those that vouch for it, as a server sends them: DER after DER.

    >>> split(b"")
    []
    """
    found = []
    while data:
        size = int.from_bytes(data[2:4], "big") + 4 if data[:2] == b"\x30\x82" else len(data)
        found.append(x509.load_der_x509_certificate(data[:size]))
        data = data[size:]
    return found


def make(
    uri: str, hosts: Sequence[str], life: timedelta = LIFE, start: datetime | None = None
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A new key and a certificate that it signs itself, valid from `start` (now) on."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    start = (start or datetime.now(UTC)) - _ONE_SECOND
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Shopfloor gateway")])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, start + life)
        .add_extension(x509.SubjectAlternativeName(_alternatives(uri, hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USES, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256())


def _alternatives(uri: str, hosts: Sequence[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _read(file: Path, what: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise CertificateError(f"The {what} file {file} cannot be read ({problem.strerror}).") from problem


_USES: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=True,
    data_encipherment=True,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
