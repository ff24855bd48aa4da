"""The section `accounts` of a plant file: how long people stay signed in, and who else vouches for them."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator
from shopfloor.plant.config.section import Section, is_loopback, url_of
from shopfloor.plant.config.units import Duration

RoleName = Literal["viewer", "operator", "engineer", "data-scientist", "admin"]
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _bare(value: object) -> object:
    parts = urlsplit(str(value))
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError(
            f"{str(value)!r} is not encrypted: whoever is on the way could sign in as anybody; write https://"
        )
    if parts.query or parts.fragment:
        raise ValueError(f"{str(value)!r} is no issuer: write it without '?' and '#', as the provider names itself")
    return value


def _variable(value: object) -> object:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise ValueError("this is no name of an environment variable: the secret itself never stands in a plant file")
    return value


Issuer = Annotated[str, url_of("https", "http"), BeforeValidator(_bare)]
Variable = Annotated[str, BeforeValidator(_variable)]


class OidcSection(Section):
    """An identity provider that vouches for people (OpenID Connect)."""

    issuer: Issuer = Field(description="The provider's own name, as in https://id.example/realms/plant.")
    client_id: str = Field(description="What the provider calls this server.", min_length=1, max_length=300)
    client_secret_file: str | None = Field(None, description="File that holds the secret of the client.")
    client_secret_env: Variable | None = Field(
        None, description="Environment variable that holds it; with neither of both the client is a public one."
    )
    ca_file: str | None = Field(None, description="Certificates (PEM) that are trusted besides those of the system.")
    scopes: tuple[str, ...] = Field(("openid", "profile"), description="What is asked for; 'openid' is one of them.")
    name_claim: str = Field(
        "preferred_username", description="Claim that becomes the name of the account; 'email' is clear across realms."
    )
    roles_claim: str = Field("groups", description="Claim that lists groups; 'a.b' looks for b within a.")
    roles: dict[str, RoleName] = Field(
        {}, description="Role of each group; of several groups the one that is written first counts."
    )
    default_role: Literal["none", "viewer", "operator"] = Field(
        "none", description="Role of whoever is in none of these groups; 'none' lets them in no further."
    )
    label: str = Field(
        "your company account", min_length=1, max_length=60, description="What the sign-in page calls the provider."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("'scopes' lacks openid, without which nobody is vouched for: add it")
        if not self.roles and self.default_role == "none":
            raise ValueError("nobody could sign in: give 'roles' (group: role), or a 'default_role'")
        if self.client_secret_file and self.client_secret_env:
            raise ValueError("'client_secret_file' and 'client_secret_env' both name the secret: keep one of them")
        return self


class AccountsSection(Section):
    """People who sign in."""

    session: Duration = Field(43_200.0, ge=60, le=604_800, description="A session lasts this long at most.")
    idle: Duration = Field(
        1_800.0,
        ge=60,
        le=604_800,
        description="A session of a role that can change the plant ends after this long without doing anything.",
    )
    oidc: OidcSection | None = Field(None, description="An identity provider beside the accounts of this server.")
