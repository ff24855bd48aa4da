"""Which protocol a port speaks, when it is not the expected one: greet it in several, and see which is answered."""

from __future__ import annotations

import asyncio
import ssl
import struct
from typing import Final

from shopfloor.gateway.doctor.finding import Finding, Subject, failed
from shopfloor.gateway.doctor.network import hang_up

_ANSWER_S: Final = 1.5
_LIMIT: Final = 65_536
MQTT_HELLO: Final = bytes.fromhex("10 0e 00 04 4d 51 54 54 04 02 00 05 00 02") + b"sd"
MODBUS_HELLO: Final = bytes.fromhex("00 01 00 00 00 06 01 03 00 00 00 01")
_HTTP_HELLO: Final = b"GET / HTTP/1.0\r\n\r\n"
_FIXES: Final = {
    "http": "take the port of the {wanted}; a web page usually has another one",
    "mqtt": "write mqtt:// in the address, or take the port of the {wanted}",
    "opcua": "write opc.tcp:// in the address, or take the port of the {wanted}",
    "ssh": "take the port of the {wanted}; 22 is for the remote terminal",
    "modbus": "write modbus:// in the address, or take the port of the {wanted}",
}
_TLS_FIXES: Final = {
    "opc.tcp": "take the port of the OPC UA server, which encrypts in its own way",
    "mqtt": "write mqtts:// in the address, or take the port without encryption, usually 1883",
    "mqtts": "look at the log of the broker; it may ask for a 'certificate' of this client",
    "modbus": "take the port of the Modbus device without encryption, usually 502",
}
_NAMES: Final = {
    "http": "a web server",
    "mqtt": "an MQTT broker without encryption",
    "opcua": "an OPC UA server",
    "ssh": "a remote terminal (SSH)",
    "modbus": "a Modbus device",
}
_ARTICLES: Final = {"opc.tcp": "an", "mqtt": "an", "mqtts": "an", "modbus": "a"}
_WANTED: Final = {
    "opc.tcp": "OPC UA server",
    "mqtt": "MQTT broker",
    "mqtts": "encrypted MQTT broker",
    "modbus": "Modbus device",
}


def opcua_hello(url: str) -> bytes:
    """The first message of an OPC UA client (OPC 10000-6, section 7.1.2.3)."""
    text = url.encode()
    body = struct.pack("<IIIIIi", 0, 65_535, 65_535, 0, 0, len(text)) + text
    return b"HELF" + struct.pack("<I", len(body) + 8) + body


async def exchange(subject: Subject, greeting: bytes, within: float | None = None) -> bytes:
    """What is answered first to a greeting; empty when the other side hangs up, `TimeoutError` when it is silent."""
    async with asyncio.timeout(within or _ANSWER_S):
        reader, writer = await asyncio.open_connection(subject.host, subject.port)
        try:
            writer.write(greeting)
            return await reader.read(_LIMIT)
        except ConnectionError:
            return b""
        finally:
            await hang_up(writer)


async def recognise(subject: Subject) -> str:
    """The name of the protocol that answers; empty when none does."""
    for greeting in (_HTTP_HELLO, MQTT_HELLO, opcua_hello(subject.url), MODBUS_HELLO):
        try:
            answer = await exchange(subject, greeting)
        except (OSError, TimeoutError):
            continue
        name = language(answer)
        if name:
            return name
    return "tls" if await _speaks_tls(subject) else ""


def language(answer: bytes) -> str:
    """The protocol of a first answer.

    >>> language(b"HTTP/1.1 400"), language(b"ACKF...."), language(b"?")
    ('http', 'opcua', '')
    """
    if answer[:5] == b"HTTP/" or answer[:1] == b"<":
        return "http"
    if answer[:4] in {b"ACKF", b"ERRF"}:
        return "opcua"
    if answer[:4] == b"SSH-":
        return "ssh"
    if answer[:2] == b"\x20\x02" or (answer[:1] == b"\x20" and 3 <= len(answer) < 200):
        return "mqtt"
    if answer[:2] in {b"\x15\x03", b"\x16\x03"}:
        return "tls"
    return "modbus" if answer[:5] == MODBUS_HELLO[:5] and len(answer) > 8 else ""


async def _speaks_tls(subject: Subject) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_ANSWER_S):
            _, writer = await asyncio.open_connection(subject.host, subject.port, ssl=context)
    except ssl.SSLError as problem:
        return "ALERT" in (problem.reason or "")
    except (OSError, TimeoutError):
        return False
    await hang_up(writer)
    return True


async def stranger(subject: Subject, step: str, *, silent: bool) -> Finding:
    """Why the expected protocol did not come about: somebody else listens there, or nobody answers."""
    wanted, where = _WANTED[subject.scheme], f"port {subject.port} of {subject.host}"
    name = await recognise(subject)
    if name == "tls":
        return failed(step, "speaks-tls", f"{where} wants an encrypted connection (TLS)", _TLS_FIXES[subject.scheme])
    if name:
        why = f"{where} belongs to {_NAMES[name]}, not to {_ARTICLES[subject.scheme]} {wanted}"
        return failed(step, f"speaks-{name}", why, _FIXES[name].format(wanted=wanted))
    if silent:
        why = f"{where} takes the connection and then says nothing"
        fix = (
            f"restart the {wanted}; if it stays so, another program has this port, or a firewall holds the answers back"
        )
        return failed(step, "silent", why, fix)
    why = f"{where} takes the connection and hangs up at once"
    fix = f"look at the log of the {wanted}; it may allow certain addresses only, or another program has this port"
    return failed(step, "hangs-up", why, fix)
