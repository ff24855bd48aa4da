"""Getting in: addresses, passwords and certificates, and a sentence for every way to be refused."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from shopfloor.gateway.mqtt.wire import V5
from shopfloor.plant import SourceLost
from shopfloor.plant.config import BrokerSection

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_LOGIN: Final = "check 'user' and 'password_file'"
_REFUSALS_3: Final = {
    2: ("the client identifier is not allowed", "choose another 'client_id'"),
    3: ("it is not available", "look at the broker"),
    4: ("bad user name or password", _LOGIN),
    5: ("not authorised", _LOGIN),
}
_REFUSALS_5: Final = {
    0x85: _REFUSALS_3[2],
    0x86: _REFUSALS_3[4],
    0x87: _REFUSALS_3[5],
    0x88: _REFUSALS_3[3],
    0x89: ("it is busy", "look at the broker"),
    0x8A: ("this client is banned", "ask who runs the broker"),
    0x8C: ("it wants another way to log in", "use a user name or a client certificate"),
    0x97: ("its quota is exceeded", "look at the broker"),
    0x9F: ("too many clients connect", "look at the broker"),
}

_ENDS: Final = {
    0x00: "it says goodbye",
    0x8B: "it shuts down",
    0x8D: "it heard nothing from this gateway for too long",
    0x8E: "another client has connected with the same 'client_id': give each its own",
    0x98: "its administrator ended it",
}


def address(broker: BrokerSection) -> tuple[str, int]:
    """Host and port."""
    parts = broker.broker
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def password(broker: BrokerSection) -> str | None:
    """The content of the password file, without its last line break."""
    if broker.password_file is None:
        return None
    try:
        return Path(broker.password_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no text"
        raise SourceLost(f"The password file {broker.password_file} cannot be read ({why}).") from problem


def tls(broker: BrokerSection) -> ssl.SSLContext | None:
    """The client's side of TLS: the broker's certificate and name are always checked. None for mqtt://."""
    if broker.broker.scheme != "mqtts":
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
    except OSError as problem:
        raise SourceLost(
            f"The certificate file {broker.ca_file} cannot be used ({_why(problem)}): 'ca_file' is a PEM file of the"
            " broker's certificate authority."
        ) from problem
    if broker.certificate is not None:
        try:
            context.load_cert_chain(broker.certificate, broker.private_key, password=lambda: b"")
        except OSError as problem:
            raise SourceLost(
                f"The client certificate {broker.certificate} cannot be used with the key {broker.private_key}"
                f" ({_why(problem)}): both are PEM files, made for each other, the key without a password."
            ) from problem
    return context


def unreachable(url: str, problem: OSError) -> SourceLost:
    """Why no connection came about."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return SourceLost(
            f"The broker {url} shows a certificate that is not trusted ({problem.verify_message}): name its authority"
            " by 'ca_file', and its host as the certificate does."
        )
    hung_up = isinstance(problem, ConnectionError) and not isinstance(problem, ConnectionRefusedError)
    if isinstance(problem, ssl.SSLError) or (hung_up and url.startswith("mqtts:")):
        return SourceLost(
            f"The broker {url} does not agree on TLS ({_why(problem)}): check that this port is its encrypted one, and"
            " whether it asks for a client 'certificate'."
        )
    return SourceLost(
        f"Nothing answers at {url} ({problem.strerror or problem}): check the address and that the broker runs."
    )


def broken(url: str, problem: Exception | None, *, answered: bool) -> SourceLost:
    """Why a connection ended that had been open."""
    if isinstance(problem, ssl.SSLError) and not answered:
        return SourceLost(
            f"The broker {url} ended the TLS handshake ({_why(problem)}): it may ask for a client 'certificate' of its"
            " own authority."
        )
    if not answered:
        return SourceLost(
            f"The broker {url} closed the link before it answered: check that the port speaks MQTT as the URL says"
            " (mqtts:// for an encrypted one, with a 'certificate' where it asks for one)."
        )
    return SourceLost(f"The link to the broker {url} is lost ({_why(problem) if problem else 'closed by the broker'}).")


def refused(url: str, code: int, version: int, reason: str = "") -> SourceLost:
    """What a CONNACK says that is no welcome."""
    table = _REFUSALS_5 if version == V5 else _REFUSALS_3
    what, step = table.get(code, (f"reason 0x{code:02X}", "look at the broker's log"))
    return SourceLost(f"The broker {url} refuses this client ({reason or what}): {step}.")


def ended(url: str, code: int) -> SourceLost:
    """What a DISCONNECT of the broker says (MQTT 5)."""
    return SourceLost(f"The broker {url} ends the link ({_ENDS.get(code, f'reason 0x{code:02X}')}).")


def _why(problem: Exception) -> str:
    reason = getattr(problem, "reason", None) or getattr(problem, "strerror", None) or str(problem)
    return str(reason).replace("_", " ").lower() if isinstance(problem, ssl.SSLError) else str(reason)
