"""Who may ask: tokens, browser sessions, and the guard in front of every request."""

from shopfloor.services.security.address import check_bind, is_loopback
from shopfloor.services.security.guard import BUNDLES, Caller, Guard, Refusal, Request
from shopfloor.services.security.middleware import GuardMiddleware
from shopfloor.services.security.scope import Scope
from shopfloor.services.security.sessions import Sessions
from shopfloor.services.security.tokens import Tokens, gateway_token

__all__ = [
    "BUNDLES",
    "Caller",
    "Guard",
    "GuardMiddleware",
    "Refusal",
    "Request",
    "Scope",
    "Sessions",
    "Tokens",
    "check_bind",
    "gateway_token",
    "is_loopback",
]
