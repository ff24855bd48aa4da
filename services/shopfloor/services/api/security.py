"""Everything about who may come in, as one list of routers."""

from __future__ import annotations

from fastapi import APIRouter
from shopfloor.services.api import accounts, audit, login, tokens
from shopfloor.services.security import Doors
from shopfloor.services.security.throttle import Throttle
from shopfloor.services.security.trail import Trail


def routers(doors: Doors, trail: Trail) -> tuple[APIRouter, ...]:
    """Signing in, accounts and sessions, tokens, the audit."""
    return login.router(doors, Throttle()), accounts.router(doors), tokens.router(doors.tokens), audit.router(trail)
