"""What a provider says of itself (OpenID Connect Discovery 1.0), checked before anything of it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from shopfloor.plant.config import is_loopback
from shopfloor.services.security.oidc.proof import ALGORITHMS
from shopfloor.services.security.oidc.words import ProviderAway

PATH: Final = "/.well-known/openid-configuration"
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Addresses of a provider ("" for what it does not offer), and what it can."""

    authorization: str
    token: str
    keys: str
    people: str
    end_session: str
    names_issuer: bool
    takes_basic: bool


def checked(issuer: str, said: Mapping[str, Any]) -> Metadata:
    """The metadata of an issuer; a document of another one, or that offers only what is weaker, is refused."""
    if said.get("issuer") != issuer:
        raise ProviderAway(
            f"{issuer} names itself {str(said.get('issuer'))[:200]!r}: write that name in the plant file."
        )
    for key in _NEEDED:
        if not is_safe(str(said.get(key, "")), issuer):
            raise ProviderAway(f"{issuer} offers no {key} over TLS: nobody can sign in there.")
    if "S256" not in said.get("code_challenge_methods_supported", ["S256"]):
        raise ProviderAway(f"{issuer} does not know PKCE with S256: nothing weaker is used.")
    if not ALGORITHMS.keys() & set(said.get("id_token_signing_alg_values_supported", ALGORITHMS)):
        raise ProviderAway(f"{issuer} signs by none of {', '.join(ALGORITHMS)}: nothing weaker is used.")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        authorization=said["authorization_endpoint"],
        token=said["token_endpoint"],
        keys=said["jwks_uri"],
        people=_offered(issuer, said, "userinfo_endpoint"),
        end_session=_offered(issuer, said, "end_session_endpoint"),
        names_issuer=bool(said.get("authorization_response_iss_parameter_supported")),
        takes_basic="client_secret_basic" in methods,
    )


def _offered(issuer: str, said: Mapping[str, Any], key: str) -> str:
    address = str(said.get(key, ""))
    return address if is_safe(address, issuer) else ""


def is_safe(address: str, issuer: str) -> bool:
    """Whether an address is one over TLS; in the open only on this machine, for an issuer of this machine.

    >>> is_safe("https://id.example/token", "https://id.example"), is_safe("http://id.example", "https://id.example")
    (True, False)
    """
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and issuer.startswith("http://") and is_loopback(parts.hostname or "")
