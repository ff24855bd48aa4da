"""One connection to a server: security as asked and no other, refusals in one sentence, no hidden reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from asyncua import Client, ua
from asyncua.client.ua_session import UaSession
from asyncua.common.shortcuts import Shortcuts
from asyncua.crypto import security_policies
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.plant import SourceLost

logging.getLogger("asyncua").setLevel(logging.CRITICAL)
_TIMEOUT_S: Final = 8.0
_PROBE_S: Final = 10.0
_LEAVE_S: Final = 2.0


class ManualSession(UaSession):  # type: ignore[misc]
    """A session whose notifications are asked for by the source, not by asyncua's own loop, which may lose them."""

    def ensure_publish_loop(self) -> None:
        """Start nothing."""


@asynccontextmanager
async def connected(options: OpcuaOptions) -> AsyncIterator[UaSession]:
    """A session with the server; `SourceLost` says why there is none, or that it broke."""
    client = _client(options)
    with explained(options.url):
        await _secure(client, options)
        await client.connect(auto_reconnect=False)
    try:
        yield client.uaclient.session
    finally:
        with contextlib.suppress(OSError, TimeoutError, ua.UaError):
            async with asyncio.timeout(_LEAVE_S):
                await client.disconnect()
        client.uaclient.disconnect_socket()


def _client(options: OpcuaOptions) -> Client:
    client = Client(options.url, timeout=_TIMEOUT_S, watchdog_intervall=_PROBE_S)
    client.name = client.description = "Shopfloor gateway"
    client.application_uri = options.application_uri
    client.session_timeout = 120_000
    client.uaclient.session = ManualSession(client.uaclient)
    client.nodes = Shortcuts(client.uaclient.session)
    return client


async def _secure(client: Client, options: OpcuaOptions) -> None:
    if options.user is not None:
        client.set_user(options.user)
        client.set_password(_read(options.password_file))
    if options.security == "none":
        return
    try:
        await client.set_security(
            getattr(security_policies, f"SecurityPolicy{options.security}"),
            options.certificate,
            options.private_key,
            server_certificate=options.server_certificate,
            mode=getattr(ua.MessageSecurityMode, options.mode),
        )
    except (FileNotFoundError, PermissionError) as problem:
        raise SourceLost(f"The file {problem.filename} cannot be read ({problem.strerror}).") from problem
    except (ValueError, TypeError) as problem:
        raise SourceLost(f"The certificate or key for {options.url} cannot be used: {problem}.") from problem


def _read(file: str | None) -> str:
    try:
        return Path(file).read_text().strip() if file else ""
    except OSError as problem:
        raise SourceLost(f"The password file {file} cannot be read ({problem.strerror}).") from problem


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn whatever breaks a link into `SourceLost` with one sentence."""
    try:
        yield
    except socket.gaierror as problem:
        raise SourceLost(f"The host of {url} is not known: check its name.") from problem
    except ConnectionRefusedError as problem:
        raise SourceLost(f"Nothing listens at {url}: check the address and that the server runs.") from problem
    except TimeoutError as problem:
        raise SourceLost(f"{url} does not answer in time: check the address, the network and its load.") from problem
    except ua.UaStatusCodeError as problem:
        name = ua.status_codes.get_name_and_doc(problem.code)[0]
        raise SourceLost(f"The server {url} answers {name}: {_ADVICE.get(name, 'see its log')}.") from problem
    except ua.UaError as problem:
        raise SourceLost(f"The server {url} cannot be used as configured: {_first(problem)}.") from problem
    except OSError as problem:
        raise SourceLost(f"The link to {url} is lost ({problem.strerror or problem}).") from problem


def _first(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0].rstrip(".")


_ADVICE: Final = {
    "BadUserAccessDenied": "check 'user' and 'password_file', or the rights of that user",
    "BadIdentityTokenInvalid": "it does not take this kind of login: give 'user' and 'password_file', or neither",
    "BadIdentityTokenRejected": "check 'user' and 'password_file'",
    "BadSecurityChecksFailed": "it does not trust this client's certificate: approve the certificate there",
    "BadCertificateUntrusted": "it does not trust this client's certificate: approve the certificate there",
    "BadSecurityPolicyRejected": "it does not offer this 'security': choose one that it offers",
    "BadSecurityModeRejected": "it does not offer this 'mode': choose one that it offers",
    "BadTcpEndpointUrlInvalid": "the path of the URL is not the one it serves",
    "BadTooManySessions": "it has no free session: close another client",
    "BadNodeIdUnknown": "a NodeId of the source does not exist there",
}
