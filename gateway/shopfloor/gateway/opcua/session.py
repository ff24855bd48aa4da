"""The session with a server: opened anew, or taken up again over a new channel after a lost link.

Source: OPC 10000-4, 6.7 (re-establishing connections), 5.7.3 (ActivateSession).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.client.ua_session import UaSession
from shopfloor.gateway.opcua.ending import end
from shopfloor.gateway.opcua.link import explained, leave, prepared
from shopfloor.gateway.opcua.options import OpcuaOptions
from shopfloor.gateway.opcua.security import Security

_REACH_S: Final = 1.5
_PORT: Final = 4840
_TCP: Final = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}


@dataclass(frozen=True, slots=True)
class Ticket:
    """What takes up a session again: its authentication token and the server's last nonce. Secret.

    `logins` are the ways in that the server offers, so that it need not be asked; only in memory.
    """

    token: str
    nonce: bytes
    logins: Sequence[ua.UserTokenPolicy] = field(default=(), compare=False)

    def __repr__(self) -> str:
        return "Ticket(…)"


@dataclass(slots=True)
class Link:
    """A session over an open channel. `resumed`: it is the one of the ticket. `stay`: leave it on the server."""

    client: Any
    resumed: bool
    stay: bool = False

    @property
    def session(self) -> UaSession:
        """The services of the server."""
        return self.client.uaclient.session

    def ticket(self) -> Ticket:
        """What takes up this session again."""
        client = self.client
        token = self.session.authentication_token.to_string()
        return Ticket(token, client._server_nonce or b"", client._policy_ids)  # noqa: SLF001


@asynccontextmanager
async def linked(options: OpcuaOptions, security: Security | None, ticket: Ticket | None) -> AsyncIterator[Link]:
    """A session with the server, that of the ticket where it still lives."""
    with explained(options.url):
        if ticket is not None:
            await _reach(options.url)
        client = await prepared(options, security)
        link = Link(client, await _establish(client, ticket))
    try:
        yield link
    finally:
        await (_drop(client) if link.stay else leave(client))


async def _reach(url: str) -> None:
    """Open a connection and close it: a lost link is probed often, and cheaply for the server."""
    place = urlsplit(url)
    async with asyncio.timeout(_REACH_S):
        _, writer = await asyncio.open_connection(place.hostname, place.port or _PORT)
    writer.close()


async def _establish(client: Any, ticket: Ticket | None) -> bool:
    await client.connect_socket()
    try:
        _probe(client.uaclient.protocol.transport.get_extra_info("socket"))
        await client.send_hello()
        await client.open_secure_channel()
        resumed = ticket is not None and await _reactivate(client, ticket)
        if not resumed:
            await client.create_session()
            await client._activate_with_credentials()  # noqa: SLF001 (asyncua has no other name for it)
    except BaseException:
        client.disconnect_socket()
        raise
    client._start_renew_loop()  # noqa: SLF001
    return resumed


async def _reactivate(client: Any, ticket: Ticket) -> bool:
    policy = client.security_policy
    client._policy_ids = ticket.logins or await _logins(client)  # noqa: SLF001
    if not policy.peer_certificate:
        policy.peer_certificate = client.expected or None
    session = client.uaclient.session
    session.restore_authentication_token(ua.NodeId.from_string(ticket.token))
    client._server_nonce = ticket.nonce or None  # noqa: SLF001
    try:
        await client._activate_with_credentials()  # noqa: SLF001
    except ua.UaStatusCodeError:
        session.reset_authentication_token()
        client._server_nonce = None  # noqa: SLF001
        return False
    return True


async def _logins(client: Any) -> Sequence[ua.UserTokenPolicy]:
    policy = client.security_policy
    endpoint = client.find_endpoint(await client.get_endpoints(), policy.Mode, policy.URI)
    return endpoint.UserIdentityTokens or ()


def _probe(sock: socket.socket) -> None:
    """Let the system notice a dead link; where an option is not known the watchdog does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _TCP.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _drop(client: Any) -> None:
    """Leave the session on the server and end the connection at once: unsent bytes must not hold it."""
    if client._renew_channel_task is not None:  # noqa: SLF001
        await end([client._renew_channel_task])  # noqa: SLF001
    protocol = client.uaclient.protocol
    if protocol is not None and protocol.transport is not None:
        protocol.transport.abort()
    with contextlib.suppress(OSError):
        client.uaclient.disconnect_socket()
