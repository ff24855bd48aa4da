"""Whether a server is the one to talk to: its certificate against the trust list (OPC 10000-4, section 6.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from shopfloor.gateway.opcua.certificate import hosts_of, span_of, subject_of, thumbprint, uri_of
from shopfloor.gateway.opcua.refusal import Refusal
from shopfloor.gateway.opcua.trust import Trust, TrustList

SERVER_UNKNOWN: Final = "server-certificate-unknown"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows of itself before anything is secret: its certificate, who vouches for it, its application."""

    url: str
    certificate: x509.Certificate
    chain: Sequence[x509.Certificate] = ()
    application_uri: str = ""

    @property
    def name(self) -> str:
        """How people tell it from others."""
        return f"{thumbprint(self.certificate)} ({subject_of(self.certificate)}, valid {span_of(self.certificate)})"


def check_pinned(shown: Shown, pinned: x509.Certificate, file: str, now: datetime | None = None) -> None:
    """Take this certificate and no other, whatever host and application it names."""
    if shown.certificate != pinned:
        raise Refusal(
            "server-certificate-other",
            f"The server {shown.url} shows the certificate {shown.name}, which is not the one in {file}",
            "if the server was renewed, put its new certificate there; if not, somebody else answers",
        )
    _check_time(shown, now or datetime.now(UTC))


def check(shown: Shown, trust: TrustList, data: Path, now: datetime | None = None) -> None:
    """Refuse a server that is not trusted, or whose certificate is not for it; an unknown one waits for a person."""
    state = trust.state(shown.certificate)
    if state is Trust.REJECTED:
        raise Refusal(
            "server-certificate-rejected",
            f"The certificate {shown.name} of the server {shown.url} was rejected here",
            f"if that was a mistake, run `{_approve(shown, data)}`",
        )
    _check_time(shown, now or datetime.now(UTC))
    if trust.revoked(shown.certificate):
        raise Refusal(
            "server-certificate-revoked",
            f"The certificate {shown.name} of the server {shown.url} was revoked by the authority that issued it",
            "give the server a new certificate",
        )
    if state is not Trust.TRUSTED and not trust.vouched(shown.certificate, shown.chain):
        if state is None:
            trust.wait(shown.certificate, shown.url)
        raise Refusal(
            SERVER_UNKNOWN,
            f"The server {shown.url} shows a certificate that is not trusted here: {shown.name}",
            f"compare the thumbprint with the server's own, then run `{_approve(shown, data)}`, or approve it on the"
            " connections page",
        )
    _check_names(shown)


def _approve(shown: Shown, data: Path) -> str:
    return f"shopfloor certificate approve {thumbprint(shown.certificate)} --data {data}"


def _check_time(shown: Shown, now: datetime) -> None:
    start, end = shown.certificate.not_valid_before_utc, shown.certificate.not_valid_after_utc
    if end < now:
        raise Refusal(
            "server-certificate-expired",
            f"The certificate of the server {shown.url} ended on {end:%Y-%m-%d}",
            "renew it at the server; if it is still good there, check the clock of this machine",
        )
    if start > now:
        raise Refusal(
            "server-certificate-early",
            f"The certificate of the server {shown.url} is valid only from {start:%Y-%m-%d %H:%M} UTC on",
            "set the clocks of the server and of this machine, then renew the server's certificate if it stays so",
        )


def _check_names(shown: Shown) -> None:
    uri, hosts = uri_of(shown.certificate), hosts_of(shown.certificate)
    if shown.application_uri != uri:
        raise Refusal(
            "server-certificate-uri",
            f"The server {shown.url} says that it is {shown.application_uri or 'nobody'}, its certificate is for"
            f" {uri or 'no application'}",
            "renew the certificate at the server, or name its file as 'server_certificate'",
        )
    host = (urlsplit(shown.url).hostname or "").lower()
    if host not in hosts:
        raise Refusal(
            "server-certificate-host",
            f"The certificate of the server {shown.url} is for {' and '.join(hosts) or 'no host'}, not for {host}",
            "use that name in the URL, or name the certificate's file as 'server_certificate'",
        )
