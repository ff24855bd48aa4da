"""The wire to a provider: TLS with the system's authorities or a named one, small answers, no redirects."""

from __future__ import annotations

import json
import ssl
import time
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final

import httpx
from shopfloor.services.security.oidc.words import ProviderAway

_PATIENCE_S: Final = 10.0
_LARGEST: Final = 1_000_000


class Wire:
    """Asks a provider; `ca_file` holds certificates that are trusted besides those of the system."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._ca_file = ca_file
        self.ahead_s: float | None = None
        """How far the provider's clock was ahead of ours at its last answer; None: it does not say."""

    def ask(self, method: str, url: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of an answer ({} where it is none); what cannot be reached raises `ProviderAway`."""
        host = httpx.URL(url).host
        try:
            options: Any = {"verify": self._trust, "timeout": _PATIENCE_S, "trust_env": False}
            with httpx.Client(**options) as client, client.stream(method, url, **more) as reply:
                self.ahead_s = _ahead(reply.headers.get("date", ""))
                return reply.status_code, _object(_read(reply))
        except httpx.HTTPError as problem:
            raise ProviderAway(
                f"The identity provider at {host} cannot be reached ({type(problem).__name__}): look at network"
                " and 'issuer'; accounts of this server can still sign in."
            ) from problem

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context()
            if self._ca_file:
                context.load_verify_locations(self._ca_file)
        except OSError as problem:
            raise ProviderAway(f"The certificates in {self._ca_file} cannot be used ({problem}).") from problem
        return context


def _ahead(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return None


def _read(reply: httpx.Response) -> bytes:
    body = bytearray()
    for part in reply.iter_bytes():
        body += part
        if len(body) > _LARGEST:
            raise ProviderAway(f"The identity provider answers more than {_LARGEST} bytes: that is no answer.")
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
