"""The rule of two persons: who brought a version does not promote it, where the plant file asks for that."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from shopfloor.services.api.needs import who
from shopfloor.services.registry import Registry
from shopfloor.services.registry.words import Refused

Apart = Callable[[Request, Registry, str, int | None], None]


def nobody_asks(request: Request, registry: Registry, name: str, number: int | None) -> None:
    """Without the rule one person is enough."""


def two_persons(request: Request, registry: Registry, name: str, number: int | None) -> None:
    """Refuse whoever brought the version themselves, and a caller that is no account: two of them may be one person."""
    if number is None:
        return
    caller = who(request)
    if caller.way not in {"account", "oidc"}:
        raise Refused("Two persons are needed (server.two_persons): sign in with an account of your own to promote.")
    if registry.state.version(name, number).by.rpartition("(")[2].rstrip(")") == caller.name:
        raise Refused(f"{caller.name} brought version {number} of {name}: another person promotes it.")
