"""Why a broker cannot be used: TLS, and the answers to a CONNECT, in plain words."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from shopfloor.gateway.doctor.finding import Finding, Subject, failed
from shopfloor.gateway.doctor.network import hang_up
from shopfloor.gateway.doctor.speech import recognise, stranger
from shopfloor.gateway.mqtt.options import MqttOptions
from shopfloor.gateway.mqtt.wire import V5

_ANSWER_S: Final = 2.0
_EXPIRED, _EARLY, _HOST, _IP = 10, 9, 62, 64
_VERIFY: Final = {
    _EXPIRED: ("tls-expired", "has ended", "renew the certificate at the broker; check the clock of this machine"),
    _EARLY: ("tls-early", "is not valid yet", "set the clocks of the broker and of this machine"),
    _HOST: ("tls-host", "is for another host than {host}", "write the name in the certificate into the address"),
    _IP: ("tls-host", "is for another host than {host}", "write the name in the certificate into the address"),
}
_UNTRUSTED: Final = (
    "tls-untrusted",
    "comes from an authority that is not trusted here",
    "name the file of that authority as 'ca_file'",
)
_LOGIN: Final = ("not-authorised", "does not accept this user", "check 'user' and 'password_file'")
_NAMELESS: Final = (
    "login-needed",
    "does not let this client in, which names no user",
    "give 'user' and 'password_file'; some brokers allow certain 'client_id' only",
)
_VERSION: Final = (
    "mqtt-version",
    "does not speak this version of MQTT",
    "leave 'version' out, or choose the other one",
)
_NAME: Final = ("client-id-refused", "does not accept the name of this client", "choose a 'client_id' that it allows")
_BUSY: Final = ("broker-busy", "is not available now", "look at its log and its load")
_CODES: Final = {1: _VERSION, 2: _NAME, 3: _BUSY, 4: _LOGIN, 5: _LOGIN}
_CODES_5: Final = {
    0x01: _VERSION, 0x84: _VERSION, 0x85: _NAME,
    0x86: _LOGIN, 0x87: _LOGIN, 0x88: _BUSY, 0x89: _BUSY, 0x97: _BUSY, 0x9F: _BUSY
}  # fmt: skip


async def encryption(subject: Subject, problem: Exception) -> Finding:
    """Why the encrypted connection was not made."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        cause, why, fix = _VERIFY.get(problem.verify_code, _UNTRUSTED)
        return failed("encryption", cause, f"The broker's certificate {why.format(host=subject.host)}", fix)
    name = await recognise(subject)
    if name == "mqtt":
        why = f"Port {subject.port} of {subject.host} is the broker's port without encryption"
        fix = "take its encrypted port, usually 8883; or write mqtt:// if the network is trusted"
        return failed("encryption", "tls-plain", why, fix)
    if isinstance(problem, ssl.SSLError) and name in {"", "tls"}:
        why = f"The broker and this machine do not agree on encryption ({_reason(problem)})"
        return failed("encryption", "tls-failed", why, "let the broker offer TLS 1.2 or 1.3")
    return await stranger(subject, "encryption", silent=isinstance(problem, TimeoutError))


async def broken(subject: Subject, context: ssl.SSLContext | None) -> Finding:
    """Why the connection ended before the broker's welcome."""
    if context is not None and await _wants_certificate(subject, context):
        why = "The broker asks for a certificate of this client"
        fix = "name 'certificate' and 'private_key' of an authority that the broker trusts"
        return failed("broker", "client-certificate-needed", why, fix)
    return await stranger(subject, "broker", silent=False)


async def _wants_certificate(subject: Subject, context: ssl.SSLContext) -> bool:
    """Whether the broker ends a connection for that reason; only a client that sends nothing is sure to hear it."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(subject.host, subject.port, ssl=context)
            try:
                await reader.read(1)
            finally:
                await hang_up(writer)
    except ssl.SSLError as problem:
        return "CERTIFICATE" in (problem.reason or "")
    except (OSError, TimeoutError):
        pass
    return False


def refused(subject: Subject, options: MqttOptions, code: int, version: int) -> Finding:
    """What the broker says in place of a welcome."""
    unknown = ("refused", f"refuses this client (code {code})", "look at its log")
    cause, why, fix = (_CODES_5 if version == V5 else _CODES).get(code, unknown)
    if cause == _LOGIN[0] and options.user is None:
        cause, why, fix = _NAMELESS
    return failed("broker", cause, f"The broker {subject.host} {why}", fix)


def _reason(problem: ssl.SSLError) -> str:
    return (problem.reason or str(problem)).replace("_", " ").lower()
