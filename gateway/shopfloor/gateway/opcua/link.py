"""One connection to a server: security as asked and no other, refusals in one sentence, no hidden reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.common.shortcuts import Shortcuts
from shopfloor.gateway.opcua.answers import answered
from shopfloor.gateway.opcua.login import SecureClient
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.security import Security
from shopfloor.plant import SourceLost

logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
_TIMEOUT_S: Final = 8.0
_PROBE_S: Final = 10.0
_LEAVE_S: Final = 2.0
_SESSION_S: Final = 120.0
"""A server keeps a session for so long after a lost link; its subscriptions live longer and are transferred."""


class ManualSession(UaSession):  # type: ignore[misc]
    """A session whose notifications are asked for by the source, not by asyncua's own loop, which may lose them."""

    def ensure_publish_loop(self) -> None:
        """Start nothing."""


@asynccontextmanager
async def connected(options: OpcuaOptions, security: Security | None = None) -> AsyncIterator[UaSession]:
    """A session with the server; `SourceLost` says why there is none, or that it broke."""
    with explained(options.url):
        client = await prepared(options, security)
        await client.connect(auto_reconnect=False)
    try:
        yield client.uaclient.session
    finally:
        await leave(client)


async def prepared(options: OpcuaOptions, security: Security | None = None) -> SecureClient:
    """A client that is ready to connect, with the security that the options ask for."""
    client = _client(options)
    await (security or Security(options)).prepare(client)
    return client


async def leave(client: SecureClient) -> None:
    """Close the session and the connection, as far as the server still answers."""
    with contextlib.suppress(OSError, TimeoutError, ua.UaError):
        async with asyncio.timeout(_LEAVE_S):
            await client.disconnect()
    client.uaclient.disconnect_socket()


def _client(options: OpcuaOptions) -> SecureClient:
    client = SecureClient(options.url, timeout=_TIMEOUT_S, watchdog_intervall=_PROBE_S)
    client.name = client.description = "Shopfloor gateway"
    client.session_timeout = int(1_000 * _SESSION_S)
    client.uaclient.session = ManualSession(client.uaclient)
    client.nodes = Shortcuts(client.uaclient.session)
    if options.conditions is not None and options.conditions.locales:
        client.set_locale(options.conditions.locales)
    return client


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
        raise answered(url, problem.code) from problem
    except ua.UaError as problem:
        raise SourceLost(f"The server {url} cannot be used as configured: {_first(problem)}.") from problem
    except OSError as problem:
        raise SourceLost(f"The link to {url} is lost ({problem.strerror or problem}).") from problem


def _first(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0].rstrip(".")
