"""What a server's refusals mean: status code -> cause, reason, next step, in words for people."""

from __future__ import annotations

from typing import Final

from asyncua import ua
from shopfloor.gateway.opcua.refusal import Refusal

CLIENT_UNTRUSTED: Final = "client-untrusted"
_UNTRUSTED: Final = (
    CLIENT_UNTRUSTED,
    "does not trust this gateway's certificate",
    "approve it there; `shopfloor certificate own --data DIR` names its file",
)
_USER: Final = (
    "user-refused",
    "does not accept this user",
    "check 'user' and 'password_file' (or 'user_certificate'), and the rights of that user at the server",
)
_FULL: Final = (
    "too-many-sessions",
    "has no free place for one more client",
    "close another client, or raise its limit",
)
_POLICY: Final = ("policy-refused", "does not take this 'security' and 'mode'", "choose a pair that it offers")
_ANSWERS: Final[dict[str, tuple[str, str, str]]] = {
    "BadUserAccessDenied": _USER,
    "BadIdentityTokenInvalid": _USER,
    "BadIdentityTokenRejected": _USER,
    "BadUserSignatureInvalid": _USER,
    "BadSecurityChecksFailed": _UNTRUSTED,
    "BadCertificateUntrusted": _UNTRUSTED,
    "BadCertificateInvalid": _UNTRUSTED,
    "BadCertificateUseNotAllowed": _UNTRUSTED,
    "BadCertificateTimeInvalid": (
        "client-expired",
        "finds this gateway's certificate out of date",
        "compare the clocks of the two; renew it with `shopfloor certificate renew --data DIR`",
    ),
    "BadCertificateUriInvalid": (
        "client-uri",
        "finds another application URI in this gateway's certificate than the one that the gateway names",
        "leave 'application_uri' out, or make the two the same",
    ),
    "BadSecurityPolicyRejected": _POLICY,
    "BadSecurityModeRejected": _POLICY,
    "BadSecurityModeInsufficient": _POLICY,
    "BadTcpEndpointUrlInvalid": (
        "path-unknown",
        "does not serve this path of the URL",
        "ask its maker for the endpoint URL, or leave the path out",
    ),
    "BadTooManySessions": _FULL,
    "BadMaxConnectionsReached": _FULL,
    "BadServerHalted": ("server-halted", "is not running", "start it, or wait until it has started"),
    "BadShutdown": ("server-halted", "is shutting down", "wait until it has started again"),
    "BadNodeIdUnknown": (
        "node-unknown",
        "does not have a NodeId of the source",
        "take the NodeId from `shopfloor browse`",
    ),
}


def answered(url: str, code: int) -> Refusal:
    """The refusal behind a status code.

    >>> print(answered("opc.tcp://plc", 0x800E0000))
    The server opc.tcp://plc is not running (BadServerHalted): start it, or wait until it has started.
    """
    name = ua.status_codes.get_name_and_doc(code)[0]
    cause, why, fix = _ANSWERS.get(name, ("refused", "refuses", "see its log"))
    return Refusal(cause, f"The server {url} {why} ({name})", fix)
