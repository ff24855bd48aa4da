"""Whom this gateway trusts: certificates of servers as files in `<data folder>/pki/{waiting,trusted,rejected}`.

A server that is not known waits for a person; nothing is ever trusted because it came first. Authorities whose word
counts lie in `trusted/issuers`, revocation lists in `trusted/revoked`; both are put there by hand, as PEM or DER.
Every step is one atomic move of a file, so the gateway, its pages and the command line may act at the same time.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509 import verification
from shopfloor.gateway.opcua.certificate import (
    DER,
    CertificateError,
    read_certificate,
    subject_of,
    thumbprint,
    uri_of,
)

_WAITING: Final = 100
"""So many servers may wait; the oldest make room, so that a stranger cannot fill the disk."""
_SHORTEST: Final = 8


class Trust(StrEnum):
    """What a person said about a certificate."""

    REJECTED = "rejected"
    TRUSTED = "trusted"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class KnownCertificate:
    """A server's certificate as people see it. Times are UTC; `url` and `first_seen` are empty when put in by hand."""

    thumbprint: str
    subject: str
    application_uri: str
    not_before: datetime
    not_after: datetime
    state: Trust
    url: str
    first_seen: str


@dataclass(frozen=True, slots=True)
class TrustList:
    """The files below one `pki` folder."""

    folder: Path

    def certificates(self) -> list[KnownCertificate]:
        """All that are known, each once: what a person rejected stays rejected, whatever else is said of it."""
        known: dict[str, KnownCertificate] = {}
        for state in Trust:
            for file, certificate in self._files(state):
                known.setdefault(thumbprint(certificate), _known(file, certificate, state))
        return sorted(known.values(), key=lambda one: (one.state, one.first_seen, one.thumbprint))

    def state(self, certificate: x509.Certificate) -> Trust | None:
        """What was said about exactly this certificate; None when it was never seen."""
        for state in Trust:
            if any(one == certificate for _, one in self._files(state)):
                return state
        return None

    def wait(self, certificate: x509.Certificate, url: str) -> None:
        """Keep a certificate for a person to judge."""
        folder = self._path(Trust.WAITING)
        crowd = sorted(folder.glob("*.der"), key=lambda file: file.stat().st_mtime)
        for file in crowd[: max(0, len(crowd) - _WAITING + 1)]:
            _remove(file)
        name = thumbprint(certificate)
        seen = {"url": url, "first_seen": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        _write(folder / f"{name}.json", json.dumps(seen).encode())
        _write(folder / f"{name}.der", certificate.public_bytes(DER))

    def approve(self, name: str) -> KnownCertificate:
        """Trust a certificate by its thumbprint, or the beginning of it."""
        return self._move(name, Trust.TRUSTED)

    def reject(self, name: str) -> KnownCertificate:
        """Trust it no longer, or never."""
        return self._move(name, Trust.REJECTED)

    def forget(self, name: str) -> None:
        """Forget what was said; the server waits again when it is met."""
        wanted = self.find(name).thumbprint
        for state in Trust:
            for file, certificate in self._files(state):
                if thumbprint(certificate) == wanted:
                    _remove(file)

    def find(self, name: str) -> KnownCertificate:
        """The one whose thumbprint begins so; `CertificateError` when none or several do."""
        wanted = name.replace(":", "").replace(" ", "").upper()
        found = [one for one in self.certificates() if one.thumbprint.startswith(wanted)]
        if len(wanted) < _SHORTEST or not found:
            raise CertificateError(
                f"No certificate here has the thumbprint {name!r}: give at least {_SHORTEST} characters of one that"
                " `shopfloor certificate list` shows."
            )
        if len(found) > 1:
            raise CertificateError(f"{len(found)} certificates begin with {name!r}: give more of the thumbprint.")
        return found[0]

    def vouched(self, certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> bool:
        """Whether an authority in `trusted/issuers` stands behind it now, through the chain that the server sent."""
        issuers = [issuer for _, issuer in _certificates(self.folder / "trusted" / "issuers")]
        if not issuers:
            return False
        anything = verification.ExtensionPolicy.permit_all()
        authority = anything.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _authority)
        policy = verification.PolicyBuilder().store(verification.Store(issuers))
        policy = policy.extension_policies(ca_policy=authority, ee_policy=anything)
        try:
            policy.build_client_verifier().verify(certificate, list(chain))
        except verification.VerificationError:
            return False
        return True

    def revoked(self, certificate: x509.Certificate) -> bool:
        """Whether a list in `trusted/revoked`, signed by an authority in `trusted/issuers`, names it."""
        issuers = [issuer for _, issuer in _certificates(self.folder / "trusted" / "issuers")]
        return any(
            revocations.issuer == certificate.issuer
            and any(_signed(revocations, issuer) for issuer in issuers)
            and revocations.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
            for revocations in _revocations(self.folder / "trusted" / "revoked")
        )

    def _move(self, name: str, state: Trust) -> KnownCertificate:
        wanted = self.find(name).thumbprint
        target = self._path(state)
        for other in Trust:
            for file, certificate in self._files(other) if other is not state else ():
                if thumbprint(certificate) == wanted:
                    for one in (file.with_suffix(".json"), file):
                        with suppress(FileNotFoundError):
                            one.replace(target / f"{wanted}{one.suffix}")
        return self.find(wanted)

    def _files(self, state: Trust) -> Iterator[tuple[Path, x509.Certificate]]:
        return _certificates(self.folder / state)

    def _path(self, state: Trust) -> Path:
        path = self.folder / state
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path


def _authority(_policy: object, _certificate: object, constraints: x509.BasicConstraints | None) -> None:
    if constraints is None or not constraints.ca:
        raise ValueError("no authority")


def _signed(revocations: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    return issuer.subject == revocations.issuer and revocations.is_signature_valid(key)  # type: ignore[arg-type]


def _known(file: Path, certificate: x509.Certificate, state: Trust) -> KnownCertificate:
    seen: dict[str, str] = {}
    with suppress(OSError, ValueError):
        seen = json.loads(file.with_suffix(".json").read_text())
    return KnownCertificate(
        thumbprint(certificate),
        subject_of(certificate),
        uri_of(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        state,
        seen.get("url", ""),
        seen.get("first_seen", ""),
    )


def _certificates(folder: Path) -> Iterator[tuple[Path, x509.Certificate]]:
    """Those that can be read; a file that vanishes meanwhile was moved by somebody else."""
    for file in sorted(folder.glob("*")):
        if file.suffix.lower() in {".der", ".pem", ".crt", ".cer"}:
            with suppress(CertificateError):
                yield file, read_certificate(file)


def _revocations(folder: Path) -> Iterator[x509.CertificateRevocationList]:
    for file in sorted(folder.glob("*")):
        with suppress(OSError, ValueError):
            data = file.read_bytes()
            yield x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.with_suffix(".json").unlink(missing_ok=True)


def _write(file: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as made:
        made.write(data)
        made.flush()
        os.fsync(made.fileno())
    Path(made.name).replace(file)
