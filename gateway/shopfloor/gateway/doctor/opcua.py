"""OPC UA, step by step: hello, endpoints, policy, certificates, session, login; then what `opcua_values` looks at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from asyncua import ua
from pydantic import ValidationError
from shopfloor.gateway.doctor import opcua_values
from shopfloor.gateway.doctor.finding import Finding, State, Stuck, Subject, failed, note, ok
from shopfloor.gateway.doctor.speech import exchange, opcua_hello, stranger
from shopfloor.gateway.opcua.answers import answered
from shopfloor.gateway.opcua.certificate import CertificateError, thumbprint
from shopfloor.gateway.opcua.login import SecureClient
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.own import RENEW_BELOW, remaining
from shopfloor.gateway.opcua.refusal import Refusal
from shopfloor.gateway.opcua.security import Security, find, offer, shown_by, weakness
from shopfloor.plant import SourceLost

_HELLO_S: Final = 4.0
_LEAVE_S: Final = 2.0
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
_ANYTHING: Final = {"everything": "site/area/line/cell/asset"}


@dataclass(slots=True)
class _Visit:
    """One examination under way."""

    subject: Subject
    options: OpcuaOptions
    security: Security
    endpoints: Sequence[ua.EndpointDescription] = field(default_factory=tuple)


class OpcuaExaminer:
    """The steps of an OPC UA connection."""

    steps: ClassVar[tuple[str, ...]] = (
        "protocol",
        "endpoints",
        "security",
        "server certificate",
        "own certificate",
        "channel",
        "session",
        "login",
        *opcua_values.STEPS,
    )

    async def examine(self, subject: Subject) -> AsyncGenerator[Finding]:
        """Walk them; the session is closed again whatever happens."""
        yield await _hello(subject)
        options = _options(subject)
        visit = _Visit(subject, options, Security(options, subject.data))
        yield await _endpoints(visit)
        for step in (_policy, _server, _own):
            yield step(visit)
        client = _client(options)
        try:
            for name, walk in (("channel", _channel), ("session", _session), ("login", _login)):
                yield await _try(name, visit, client, walk)
            async for finding in opcua_values.examine(client, subject, options):
                yield finding
        finally:
            await _leave(client)


EXAMINER: Final = OpcuaExaminer()


def _client(options: OpcuaOptions) -> SecureClient:
    client = SecureClient(options.url, timeout=_HELLO_S)
    client.name = client.description = "Shopfloor doctor"
    client.session_timeout = 60_000
    return client


async def _leave(client: SecureClient) -> None:
    with suppress(OSError, TimeoutError, ua.UaError):
        async with asyncio.timeout(_LEAVE_S):
            await client.disconnect()
    client.disconnect_socket()


def _options(subject: Subject) -> OpcuaOptions:
    wanted = {"url": subject.url, "security": "none", **subject.options}
    try:
        return OpcuaOptions.model_validate(wanted if _names(wanted) else wanted | _ANYTHING)
    except ValidationError as problem:
        why = problem.errors()[0]["msg"].removeprefix("Value error, ")
        raise Stuck(
            failed("endpoints", "options", f"The options do not fit together: {why}", "correct them")
        ) from problem


def _names(options: dict[str, Any]) -> bool:
    return any(options.get(key) for key in ("assets", "nodes", "everything"))


async def _hello(subject: Subject) -> Finding:
    try:
        answer = await exchange(subject, opcua_hello(subject.url), _HELLO_S)
    except TimeoutError as problem:
        raise Stuck(await stranger(subject, "protocol", silent=True)) from problem
    except OSError:
        answer = b""
    if answer[:4] == b"ACKF":
        return ok("protocol", "An OPC UA server answers.")
    if answer[:4] == b"ERRF":
        raise Stuck(_failed("protocol", answered(subject.url, int.from_bytes(answer[8:12], "little"))))
    raise Stuck(await stranger(subject, "protocol", silent=False))


async def _endpoints(visit: _Visit) -> Finding:
    client = _client(visit.options)
    visit.endpoints = await _guarded("endpoints", visit, client.connect_and_get_server_endpoints())
    if not visit.endpoints:
        why = f"The server has no endpoint for the address {visit.options.url}"
        raise Stuck(failed("endpoints", "path-unknown", why, "ask its maker for the endpoint URL, with its path"))
    offers = ", ".join(dict.fromkeys(map(offer, visit.endpoints)))
    hosts = sorted({urlsplit(one.EndpointUrl).hostname or "" for one in visit.endpoints})
    if visit.subject.host not in hosts:
        why = f"Offered: {offers}. The server calls itself {', '.join(hosts)}, not {visit.subject.host}"
        fix = "nothing, as long as this address works; other clients may follow that name"
        return note("endpoints", "endpoint-host", why, fix)
    return ok("endpoints", f"Offered: {offers}.")


def _policy(visit: _Visit) -> Finding:
    options = visit.options
    try:
        find(visit.endpoints, options)
    except Refusal as refusal:
        raise Stuck(_failed("security", refusal)) from refusal
    if options.security == "none":
        why = "The connection has no security: everybody on the network can read and change what passes"
        return note("security", "security-none", why, _safer(visit.endpoints))
    if weakness(options):
        why, fix = weakness(options).split(": ", 1)
        return note("security", "security-weak", why, fix)
    return ok("security", f"{options.security} with {options.mode} is offered.")


def _safer(endpoints: Sequence[ua.EndpointDescription]) -> str:
    if all(offer(one) == "none" for one in endpoints if one.EndpointUrl.startswith("opc.tcp:")):
        return "switch security on at the server, Basic256Sha256 or better, then name it as 'security'"
    return "choose a 'security' of the offered ones"


def _server(visit: _Visit) -> Finding:
    options = visit.options
    if options.security == "none" and not options.logs_in:
        return Finding("server certificate", State.SKIPPED, "Not needed without security and login.")
    try:
        shown = shown_by(find(visit.endpoints, options), options.url)
        visit.security.check(shown)
    except (Refusal, CertificateError) as problem:
        raise Stuck(_failed("server certificate", problem)) from problem
    return ok("server certificate", f"{shown.name} is trusted.")


def _own(visit: _Visit) -> Finding:
    if visit.options.security == "none":
        return Finding("own certificate", State.SKIPPED, "Not needed without security.")
    try:
        newest = visit.security.pairs()[0]
    except (Refusal, CertificateError) as problem:
        raise Stuck(_failed("own certificate", problem, "own-certificate")) from problem
    if remaining(newest, datetime.now(UTC)) < RENEW_BELOW:
        why = f"This gateway's certificate {newest.file} ends on {newest.expires:%Y-%m-%d}"
        return note("own certificate", "own-certificate-ends", why, "renew it, and let the server trust the new one")
    return ok("own certificate", f"{thumbprint(newest.certificate)}, valid until {newest.expires:%Y-%m-%d}.")


async def _channel(visit: _Visit, client: SecureClient) -> str:
    await visit.security.prepare(client)
    await client.connect_socket()
    await client.send_hello()
    await client.open_secure_channel()
    return "A channel is open."


async def _session(_visit: _Visit, client: SecureClient) -> str:
    await client.create_session()
    return "The server gives a session."


async def _login(visit: _Visit, client: SecureClient) -> str:
    await client.activate()
    options = visit.options
    return f"Logged in as {options.user or options.user_certificate}." if options.logs_in else "No login is needed."


async def _try(step: str, visit: _Visit, client: SecureClient, walk: Any) -> Finding:
    return ok(step, await _guarded(step, visit, walk(visit, client)))


async def _guarded(step: str, visit: _Visit, work: Any) -> Any:
    """The result of some work with the server; `Stuck` in plain words when there is none."""
    url = visit.options.url
    try:
        return await work
    except SourceLost as problem:
        raise Stuck(_failed(step, problem)) from problem
    except ua.UaStatusCodeError as problem:
        raise Stuck(_failed(step, answered(url, problem.code))) from problem
    except TimeoutError as problem:
        why = f"The server {url} stopped answering"
        raise Stuck(failed(step, "stopped-answering", why, "look at its load and its log, or restart it")) from problem
    except (ua.UaError, OSError) as problem:
        why = f"The server {url} ended the connection"
        fix = "look at its log; often it does not trust this gateway's certificate yet"
        raise Stuck(failed(step, "connection-ended", why, fix)) from problem


def _failed(step: str, problem: Exception, cause: str = "refused") -> Finding:
    """A refusal in the words that it brings."""
    if isinstance(problem, Refusal):
        return failed(step, problem.cause, problem.why, problem.fix)
    why, _, fix = str(problem).partition(": ")
    return failed(step, cause, why, fix or "look at the file")
