"""The judge of ID tokens: signed by a key of the provider, for this server, for this sign-in, and for now.

OpenID Connect Core 1.0, section 3.1.3.7. Only signatures with a public key count: a token without one, or with one
that a shared secret makes, is refused whatever it says of itself (RFC 8725).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from shopfloor.services.security.oidc.words import NotVouched

ALGORITHMS: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}
"""Signatures that count, and the type of key that makes each."""
LEEWAY_S: Final = 60
_LONGEST: Final = 100_000
_LEAST_BITS: Final = 2048
_NEEDED: Final = ["iss", "sub", "aud", "exp", "iat"]

Key = Mapping[str, Any]
FindKeys = Callable[[str | None], Sequence[Key]]
"""The provider's public keys (JWK) by key id; all of them when the token names none."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say: from whom, for whom, and for which sign-in."""

    issuer: str
    client: str
    nonce: str


def claims(token: str, keys: FindKeys, expected: Expected, access: str = "") -> dict[str, Any]:
    """What a token says, once it is proven; anything else raises `NotVouched`. `access` came together with it."""
    said = _signed(token, keys, expected)
    if not hmac.compare_digest(str(said.get("nonce", "")).encode(), expected.nonce.encode()):
        raise NotVouched("The token belongs to another sign-in (nonce).")
    audiences = said["aud"] if isinstance(said["aud"], list) else [said["aud"]]
    if said.get("azp", expected.client) != expected.client or (len(audiences) > 1 and "azp" not in said):
        raise NotVouched("The token was issued to another client (azp).")
    if "at_hash" in said and said["at_hash"] != _half_hash(access):
        raise NotVouched("The token and the access token do not belong together (at_hash).")
    if not isinstance(said["sub"], str) or not 0 < len(said["sub"]) <= 255:
        raise NotVouched("The token names nobody (sub).")
    return said


def _signed(token: str, keys: FindKeys, expected: Expected) -> dict[str, Any]:
    if len(token) > _LONGEST:
        raise NotVouched("The token is too long to be one.")
    try:
        head = jwt.get_unverified_header(token)
        key = _key(keys(head.get("kid")), str(head.get("alg", "")))
        options: Any = {"require": _NEEDED, "verify_signature": True}
        return jwt.decode(
            token, key, [head["alg"]], options, issuer=expected.issuer, audience=expected.client, leeway=LEEWAY_S
        )
    except (jwt.PyJWTError, ValueError) as problem:
        raise NotVouched(f"The token is not valid ({problem}).") from problem


def _key(keys: Sequence[Key], algorithm: str) -> jwt.PyJWK:
    """The one key that may have made the signature; none and several are refused."""
    if algorithm not in ALGORITHMS:
        raise NotVouched(f"The token is signed by {algorithm[:20]!r}: only {', '.join(ALGORITHMS)} count.")
    fitting = [key for key in keys if _fits(key, algorithm)]
    if len(fitting) != 1:
        raise NotVouched("The token is signed by a key that the provider does not show.")
    key = jwt.PyJWK(dict(fitting[0]), algorithm)
    if ALGORITHMS[algorithm] == "RSA" and key.key.key_size < _LEAST_BITS:
        raise NotVouched(f"The provider's key has {key.key.key_size} bits: {_LEAST_BITS} are needed.")
    return key


def usable(keys: Sequence[Key]) -> list[Key]:
    """The keys with which a token may be signed.

    >>> usable([{"kty": "RSA"}, {"kty": "oct"}])
    [{'kty': 'RSA'}]
    """
    return [key for key in keys if any(_fits(key, algorithm) for algorithm in ALGORITHMS)]


def _fits(key: Key, algorithm: str) -> bool:
    """Whether a key is for signatures of this kind.

    >>> _fits({"kty": "RSA"}, "PS256"), _fits({"kty": "RSA", "use": "enc"}, "RS256"), _fits({"kty": "oct"}, "RS256")
    (True, False, False)
    """
    right_type = key.get("kty") == ALGORITHMS[algorithm] and (key.get("kty") != "EC" or key.get("crv") == "P-256")
    return right_type and key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm


def _half_hash(access: str) -> str:
    """Left half of the SHA-256 of an access token; all three kinds of signature hash with SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).rstrip(b"=").decode()
