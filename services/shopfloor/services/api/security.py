"""Everything about who may come in, as one list of routers."""

from __future__ import annotations

from fastapi import APIRouter
from shopfloor.services.api import accounts, audit, login, oidc, tokens
from shopfloor.services.security import Doors
from shopfloor.services.security.oidc import Attempts, Provider
from shopfloor.services.security.throttle import Throttle
from shopfloor.services.security.trail import Trail


def routers(doors: Doors, trail: Trail, provider: Provider | None) -> tuple[APIRouter, ...]:
    """Signing in here and at a provider, accounts and sessions, tokens, the audit."""
    throttle = Throttle()
    return (
        login.router(doors, throttle, provider),
        oidc.router(doors, throttle, provider, Attempts()),
        accounts.router(doors),
        tokens.router(doors.tokens),
        audit.router(trail),
    )
