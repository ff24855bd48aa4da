"""The identity provider of a plant: where a browser is sent, and who comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from shopfloor.plant.config import OidcSection
from shopfloor.services.security.oidc.attempts import Attempt
from shopfloor.services.security.oidc.keys import STALE_S, Keys
from shopfloor.services.security.oidc.metadata import PATH, Metadata, checked
from shopfloor.services.security.oidc.people import Identity, found, identity
from shopfloor.services.security.oidc.proof import Expected, Key, claims
from shopfloor.services.security.oidc.wire import Wire
from shopfloor.services.security.oidc.words import NotVouched, ProviderAway

_OK: Final = 200
_OURS: Final = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"})
"""Errors of the token endpoint (RFC 6749, 5.2) that say something of this server, not of the person."""


class Provider:
    """Speaks with one provider as the plant file describes it. Every method may block for a few seconds."""

    def __init__(
        self,
        section: OidcSection,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._section, self._environ, self._clock = section, environ, clock
        self._wire = Wire(section.ca_file)
        self._keys = Keys(self.fetch_keys, clock)
        self._known: tuple[float, Metadata] | None = None

    @property
    def label(self) -> str:
        """What the sign-in page calls it."""
        return self._section.label

    @property
    def ahead_s(self) -> float | None:
        """How far the provider's clock is ahead of ours, as its last answer says; None: it does not say."""
        return self._wire.ahead_s

    def metadata(self) -> Metadata:
        """What the provider says of itself, asked once an hour."""
        if self._known is None or self._clock() - self._known[0] > STALE_S:
            status, said = self._wire.ask("GET", self._section.issuer.rstrip("/") + PATH)
            if status != _OK:
                raise ProviderAway(f"{self._section.issuer} answers {status} at {PATH}: is it the issuer's own name?")
            self._known = self._clock(), checked(self._section.issuer, said)
        return self._known[1]

    def address(self, attempt: Attempt) -> str:
        """Where a browser is sent to sign in."""
        asked = {
            "response_type": "code",
            "client_id": self._section.client_id,
            "redirect_uri": attempt.back,
            "scope": " ".join(self._section.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _with(self.metadata().authorization, asked)

    def vouch(self, attempt: Attempt, code: str, issuer: str | None = None) -> Identity:
        """Who came back with a code; `issuer` is what the browser brought as `iss` (RFC 9207)."""
        told = self.metadata()
        if issuer not in {None, self._section.issuer} or (issuer is None and told.names_issuer):
            raise NotVouched("The answer comes from another provider (iss).")
        tokens = self._exchange(attempt, code, told)
        access = str(tokens.get("access_token", ""))
        expected = Expected(self._section.issuer, self._section.client_id, attempt.nonce)
        said = claims(str(tokens["id_token"]), self._keys.find, expected, access)
        return identity(self._section, self._completed(said, access, told))

    def goodbye(self, back: str) -> str:
        """Where a browser signs out at the provider too, which sends it to `back`; "" where it offers none."""
        end = self.metadata().end_session
        return _with(end, {"client_id": self._section.client_id, "post_logout_redirect_uri": back}) if end else ""

    def _exchange(self, attempt: Attempt, code: str, told: Metadata) -> dict[str, Any]:
        """The tokens of a code, which holds once."""
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.back,
            "code_verifier": attempt.verifier,
            "client_id": self._section.client_id,
        }
        status, said = self._wire.ask("POST", told.token, **self._shown(body, told))
        error = str(said.get("error", ""))[:60]
        if error in _OURS or status >= 500:
            raise ProviderAway(
                f"The provider refuses this server ({error or status}): an admin looks at client and secret."
            )
        if status != _OK or not isinstance(said.get("id_token"), str):
            raise NotVouched(f"The provider takes back this sign-in ({error or status}).")
        return said

    def _shown(self, body: dict[str, str], told: Metadata) -> dict[str, Any]:
        """The body, and the secret in the way that the provider takes it."""
        secret = self.secret()
        if not secret:
            return {"data": body}
        if told.takes_basic:
            return {"data": body, "auth": (quote(self._section.client_id, ""), quote(secret, ""))}
        return {"data": body | {"client_secret": secret}}

    def secret(self) -> str:
        """The secret of the client, "" for a public one."""
        if variable := self._section.client_secret_env:
            if secret := self._environ.get(variable, "").strip():
                return secret
            raise ProviderAway(f"The secret of the client is not in the environment variable {variable}.")
        if not (file := self._section.client_secret_file):
            return ""
        try:
            return Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            said = f"The secret of the client cannot be read from {file} ({type(problem).__name__})."
            raise ProviderAway(said) from problem

    def _completed(self, said: dict[str, Any], access: str, told: Metadata) -> dict[str, Any]:
        """The claims of the token, and of the provider's list of people where the token lacks what is needed."""
        wanted = (self._section.name_claim, self._section.roles_claim)
        if not told.people or not access or all(found(said, claim) is not None for claim in wanted):
            return said
        status, more = self._wire.ask("GET", told.people, headers={"Authorization": f"Bearer {access}"})
        if status != _OK or more.get("sub") != said["sub"]:
            raise NotVouched("The provider says of another person what it was asked of this one (sub).")
        return more | said

    def fetch_keys(self) -> list[Key]:
        """All keys that the provider shows now."""
        status, said = self._wire.ask("GET", self.metadata().keys)
        keys = said.get("keys")
        if status != _OK or not isinstance(keys, list):
            raise ProviderAway(f"{self._section.issuer} shows no keys ({status}).")
        return [key for key in keys if isinstance(key, dict)]


def _with(address: str, asked: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
