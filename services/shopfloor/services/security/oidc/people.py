"""From what a provider says of somebody to an account and a role here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shopfloor.plant.config import OidcSection
from shopfloor.services.security.accounts import NOBODY
from shopfloor.services.security.oidc.words import NoRole, NotVouched
from shopfloor.services.security.rights import Role

_NAME: Final = re.compile(r"[\w.@+-]{2,64}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody for whom the provider vouches: its own word for them, their name here, and their role."""

    subject: str
    name: str
    role: Role


def identity(section: OidcSection, claims: Mapping[str, Any]) -> Identity:
    """Who the claims speak of; a name that cannot be one raises `NotVouched`, nobody's role `NoRole`."""
    name = named(section, claims)
    return Identity(f"{section.issuer} {claims['sub']}", name, _role(section, claims, name))


def found(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a path of names.

    >>> found({"a.b": 1}, "a.b"), found({"realm_access": {"roles": ["x"]}}, "realm_access.roles"), found({}, "a.b")
    (1, ['x'], None)
    """
    if path in claims:
        return claims[path]
    first, dot, rest = path.partition(".")
    inner = claims.get(first)
    return found(inner, rest) if dot and isinstance(inner, Mapping) else None


def named(section: OidcSection, claims: Mapping[str, Any]) -> str:
    """The name of the account, in small letters."""
    said = found(claims, section.name_claim)
    if said is None:
        raise NotVouched(f"The provider says no {section.name_claim!r}: an admin looks at name_claim and scopes.")
    if section.name_claim == "email" and claims.get("email_verified") is False:
        raise NotVouched("The provider has not verified this address of e-mail: verify it there, and sign in again.")
    name = str(said).strip().lower()
    if not _NAME.fullmatch(name) or name in NOBODY:
        raise NotVouched(f"{name[:80]!r} is no name for an account here: an admin chooses another name_claim.")
    return name


def _role(section: OidcSection, claims: Mapping[str, Any], name: str) -> Role:
    said = found(claims, section.roles_claim)
    groups = {said} if isinstance(said, str) else {one for one in said or () if isinstance(one, str)}
    for group, role in section.roles.items():
        if group in groups:
            return Role(role)
    if section.default_role == "none":
        raise NoRole(f"{name} has no role in this plant: ask for one of the groups that have one, then sign in again.")
    return Role(section.default_role)
