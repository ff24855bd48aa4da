"""The steps that every protocol over TCP begins with: the address, the name of the host, the port."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from shopfloor.gateway.doctor.finding import PORTS, Finding, Stuck, Subject, failed, ok

STEPS: Final = ("address", "name", "port")
CONNECT_S: Final = 4.0
_NO_WAY: Final = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL}


async def reach(subject: Subject) -> AsyncGenerator[Finding]:
    """Check the URL, look the host up, and open the port; `Stuck` names the first that fails."""
    yield _address(subject)
    found = await _name(subject)
    yield ok("name", f"{subject.host} is {', '.join(found)}" if found != [subject.host] else "A number needs no name.")
    yield await _port(subject, found)


def _address(subject: Subject) -> Finding:
    example = f"{subject.scheme if subject.scheme in PORTS else 'opc.tcp'}://192.168.0.10:4840"
    if "://" not in subject.url or subject.scheme not in PORTS:
        kinds = ", ".join(f"{scheme}://" for scheme in PORTS)
        why = f"The address {subject.url!r} begins with none of {kinds}"
        raise Stuck(failed("address", "address-scheme", why, f"write it as in {example}"))
    wrong = _wrong(subject)
    if wrong:
        why = f"The address {subject.url!r} cannot be read: {wrong}"
        raise Stuck(failed("address", "address-broken", why, f"write it as in {example}"))
    if urlsplit(subject.url).password:
        fix = "leave it out of the address, and give 'user' and 'password_file'"
        raise Stuck(failed("address", "address-password", "The address holds a password", fix))
    return ok("address", f"Host {subject.host}, port {subject.port}.")


def _wrong(subject: Subject) -> str:
    try:
        return "" if subject.host and subject.port else "it names no host"
    except ValueError:
        return "its port is no number from 1 to 65535"


async def _name(subject: Subject) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(subject.host, subject.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        why = f"No machine on this network is called {subject.host}"
        fix = "check the spelling, or write the IP address of the device"
        raise Stuck(failed("name", "name-unknown", why, fix)) from problem
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def _port(subject: Subject, addresses: list[str]) -> Finding:
    """One address of the host after the other: together they would hide each other's reason."""
    problems: list[OSError] = []
    for address in addresses:
        began = time.monotonic()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, writer = await asyncio.open_connection(address, subject.port)
        except OSError as problem:
            problems.append(problem)
        else:
            await hang_up(writer)
            return ok("port", f"Port {subject.port} is open ({(time.monotonic() - began) * 1000:.0f} ms).")
    refused = [problem for problem in problems if isinstance(problem, ConnectionRefusedError)]
    raise Stuck(_closed(subject, (refused or problems)[0]))


def _closed(subject: Subject, problem: Exception) -> Finding:
    where = f"{subject.host} port {subject.port}"
    if isinstance(problem, ConnectionRefusedError):
        why = f"The machine {subject.host} is there, and no program listens on its port {subject.port}"
        return failed("port", "port-refused", why, "start the server on it, or correct the port in the address")
    if isinstance(problem, TimeoutError):
        why = f"Nothing came back from {where} within {CONNECT_S:g} s"
        fix = "check that the device is on, the cable, the IP address, and any firewall between"
        return failed("port", "port-silent", why, fix)
    if getattr(problem, "errno", None) in _NO_WAY:
        why = f"This machine knows no way to {subject.host}"
        fix = "check the IP address, and the network settings and gateway of this machine"
        return failed("port", "host-unreachable", why, fix)
    reason = getattr(problem, "strerror", None) or str(problem)
    return failed("port", "port-failed", f"{where} cannot be opened ({reason})", "check the address and the network")


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever state it is in."""
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
