"""The rule of two persons, where the plant file asks for it: who brought or proposed a version does not promote it."""

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
    """Refuse whoever brought or proposed the version, and a caller that is no account: two may be one person."""
    if number is None:
        return
    caller = who(request)
    if caller.way not in {"account", "oidc"}:
        raise Refused("Two persons are needed (server.two_persons): sign in with an account of your own to promote.")
    brought = [("brought", registry.state.version(name, number).by)]
    events = [event for event in registry.state.events if (event.name, event.number) == (name, number)]
    for what, by in (*brought, *(("proposed", event.by) for event in events if event.what == "proposed")):
        if account_of(by) == caller.name:
            raise Refused(f"{caller.name} {what} version {number} of {name}: another person promotes it.")


def account_of(by: str) -> str:
    """The account behind a name that was signed with.

    >>> account_of("Anna Weber (anna)"), account_of("anna")
    ('anna', 'anna')
    """
    return by.rpartition("(")[2].rstrip(")")
