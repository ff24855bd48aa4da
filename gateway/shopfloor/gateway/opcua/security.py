"""Security of a connection, exactly as the plant file asks: never less, never more, and only with a trusted server."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from asyncua import ua
from cryptography import x509
from shopfloor.gateway.opcua.answers import CLIENT_UNTRUSTED, answered
from shopfloor.gateway.opcua.certificate import (
    DER,
    CertificateError,
    belong,
    read_certificate,
    read_key,
    split,
    thumbprint,
)
from shopfloor.gateway.opcua.login import SecureClient, policy_of
from shopfloor.gateway.opcua.options import WEAK, OpcuaOptions
from shopfloor.gateway.opcua.own import RENEW_BELOW, OwnCertificates, Pair, given, remaining
from shopfloor.gateway.opcua.refusal import Refusal
from shopfloor.gateway.opcua.trust import Trust, TrustList
from shopfloor.gateway.opcua.verify import SERVER_UNKNOWN, Shown, check, check_pinned
from shopfloor.plant import SourceLost

_logger = logging.getLogger(__name__)
_ASK_AGAIN_S: Final = 30.0
_ANYBODY: Final = "urn:shopfloor:gateway"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A server's certificate that a person has not judged yet; the server is asked again after `until`."""

    certificate: x509.Certificate
    refusal: Refusal
    until: float


@dataclass(slots=True)
class Security:
    """What one source needs to be safe. `data` is the gateway's data folder; without it every file must be named."""

    options: OpcuaOptions
    data: Path | None = None
    _accepted: str = ""
    _waiting: _Waiting | None = None
    _warned: bool = False

    async def prepare(self, client: SecureClient) -> None:
        """Set a client up before it connects; `SourceLost` when the server, a file or the wish is not fit."""
        try:
            self._wait()
            await self._prepare(client)
        except CertificateError as problem:
            raise SourceLost(str(problem)) from problem

    async def _prepare(self, client: SecureClient) -> None:
        options = self.options
        self._warn()
        _log_in(client, options)
        client.application_uri = options.application_uri or _ANYBODY
        if options.security == "none" and not options.logs_in:
            return
        endpoint = find(await client.connect_and_get_server_endpoints(), options)
        if options.security == "none":
            client.check_login(endpoint)
        shown = shown_by(endpoint, options.url)
        self.check(shown)
        client.expected = shown.certificate.public_bytes(DER)
        if options.security != "none":
            await self._encrypt(client, shown)

    def check(self, shown: Shown) -> None:
        """Refuse a server that is not trusted."""
        if self.options.server_certificate is not None:
            file = Path(self.options.server_certificate)
            check_pinned(shown, read_certificate(file, "server certificate"), str(file))
        else:
            self._check(shown)

    def _check(self, shown: Shown) -> None:
        try:
            check(shown, TrustList(self._data() / "pki"), self._data())
        except Refusal as refusal:
            if refusal.cause == SERVER_UNKNOWN:
                self._waiting = _Waiting(shown.certificate, refusal, time.monotonic() + _ASK_AGAIN_S)
            raise

    def _wait(self) -> None:
        """While a person has not judged, look at the list often and at the server seldom."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or time.monotonic() > waiting.until:
            return
        if TrustList(self._data() / "pki").state(waiting.certificate) is Trust.WAITING:
            self._waiting, refusal = waiting, waiting.refusal
            raise Refusal(refusal.cause, refusal.why, refusal.fix)

    def pairs(self) -> Sequence[Pair]:
        """The certificates that this gateway may show, the preferred one first."""
        options = self.options
        if options.certificate is not None and options.private_key is not None:
            now = datetime.now(UTC)
            pair = given(Path(options.certificate), Path(options.private_key), options.application_uri, now)
            self._warn_of_the_end(pair, now)
            return [pair]
        return OwnCertificates(self._data() / "pki" / "own").pairs()

    def _warn_of_the_end(self, pair: Pair, now: datetime) -> None:
        if remaining(pair, now) < RENEW_BELOW and not self._accepted:
            _logger.warning(
                "This gateway's certificate %s ends on %s: renew it.", pair.file, f"{pair.expires:%Y-%m-%d}"
            )
            self._accepted = thumbprint(pair.certificate)

    async def _encrypt(self, client: SecureClient, shown: Shown) -> None:
        pairs = await asyncio.to_thread(self.pairs)
        newest = thumbprint(pairs[0].certificate)
        chosen = pairs[0]
        if len(pairs) > 1 and self._accepted != newest:
            chosen = await self._known(pairs, shown)
        _apply(client, self.options, chosen, shown)

    async def _known(self, pairs: Sequence[Pair], shown: Shown) -> Pair:
        """The newest certificate once the server takes it, until then the one before."""
        newest, before = pairs[0], pairs[1]
        trial = SecureClient(self.options.url, timeout=8.0)
        _log_in(trial, self.options)
        _apply(trial, self.options, newest, shown)
        try:
            await trial.connect(auto_reconnect=False)
            await trial.disconnect()
        except (ua.UaStatusCodeError, Refusal, OSError, TimeoutError) as problem:
            if not _distrusts(problem):
                return newest
        else:
            self._accepted = thumbprint(newest.certificate)
            return newest
        _logger.warning(
            "%s does not trust this gateway's new certificate %s yet: approve it there before %s, the old one's end.",
            self.options.url,
            thumbprint(newest.certificate),
            f"{before.expires:%Y-%m-%d}",
        )
        return before

    def _data(self) -> Path:
        if self.data is None:
            raise Refusal(
                "no-data-folder",
                f"A connection to {self.options.url} with security needs the data folder of the gateway",
                "give it with --data, or name 'certificate', 'private_key' and 'server_certificate'",
            )
        return self.data

    def _warn(self) -> None:
        """Once: what works now and should not stay so."""
        if self.options.security in WEAK and not self._warned:
            _logger.warning("%s", weakness(self.options))
        self._warned = True


def weakness(options: OpcuaOptions) -> str:
    """What is to be said about a deprecated policy; empty for the others."""
    if options.security not in WEAK:
        return ""
    return (
        f"The security policy {options.security} of {options.url} can be broken today: use Basic256Sha256 or better as"
        " soon as the server has it."
    )


def find(endpoints: Sequence[ua.EndpointDescription], options: OpcuaOptions) -> ua.EndpointDescription:
    """The endpoint with exactly the policy and the mode of the plant file."""
    wanted = (policy_of(options.security).URI, mode_of(options))
    tcp = [endpoint for endpoint in endpoints if endpoint.EndpointUrl.startswith("opc.tcp:")]
    for endpoint in tcp:
        if (endpoint.SecurityPolicyUri, endpoint.SecurityMode) == wanted:
            return endpoint
    names = {endpoint.SecurityPolicyUri for endpoint in tcp}
    offers = ", ".join(dict.fromkeys(map(offer, tcp))) or "nothing over opc.tcp"
    if wanted[0] in names:
        raise Refusal(
            "mode-not-offered",
            f"The server {options.url} does not offer {options.security} with {options.mode}; it offers {offers}",
            "choose one of these as 'mode', or switch it on at the server",
        )
    raise Refusal(
        "policy-not-offered",
        f"The server {options.url} does not offer the security {options.security}; it offers {offers}",
        "choose one of these as 'security', or switch it on at the server",
    )


def offer(endpoint: ua.EndpointDescription) -> str:
    """A policy and a mode as the plant file writes them."""
    policy = endpoint.SecurityPolicyUri.rpartition("#")[2].replace("_", "")
    return "none" if policy == "None" else f"{policy} {endpoint.SecurityMode.name}"


def mode_of(options: OpcuaOptions) -> ua.MessageSecurityMode:
    """The mode as asyncua names it."""
    return ua.MessageSecurityMode.None_ if options.security == "none" else ua.MessageSecurityMode[options.mode]


def shown_by(endpoint: ua.EndpointDescription, url: str) -> Shown:
    """The server behind an endpoint."""
    try:
        leaf, *chain = split(endpoint.ServerCertificate or b"")
    except ValueError as problem:
        raise Refusal(
            "server-certificate-missing",
            f"The server {url} shows no certificate that can be read",
            "give the server a certificate, or choose security none and no login",
        ) from problem
    return Shown(url, leaf, chain, endpoint.Server.ApplicationUri or "")


def _distrusts(problem: Exception) -> bool:
    """Whether a refusal may come from a certificate that the server does not know; some only hang up."""
    if isinstance(problem, ua.UaStatusCodeError):
        return answered("", problem.code).cause == CLIENT_UNTRUSTED
    return not isinstance(problem, Refusal) or problem.cause == CLIENT_UNTRUSTED


def _apply(client: SecureClient, options: OpcuaOptions, pair: Pair, shown: Shown) -> None:
    policy = policy_of(options.security)
    client.application_uri = pair.uri
    client.security_policy = policy(shown.certificate, pair.certificate, pair.key, mode_of(options))
    client.uaclient.set_security(client.security_policy)
    client.expected = shown.certificate.public_bytes(DER)


def _log_in(client: SecureClient, options: OpcuaOptions) -> None:
    if options.user is not None:
        client.set_user(options.user)
        client.set_password(_read(options.password_file))
    if options.user_certificate is not None and options.user_key is not None:
        certificate, key = read_certificate(Path(options.user_certificate)), read_key(Path(options.user_key))
        if not belong(certificate, key):
            raise CertificateError(f"{options.user_key} is not the key of {options.user_certificate}: name one pair.")
        client.user_certificate, client.user_private_key = certificate, key


def _read(file: str | None) -> str:
    try:
        return Path(file).read_text().strip() if file else ""
    except OSError as problem:
        raise SourceLost(f"The password file {file} cannot be read ({problem.strerror}).") from problem
