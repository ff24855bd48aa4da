"""Who may ask: accounts, tokens, browser sessions, and the guard in front of every request."""

from shopfloor.services.security.accounts import Accounts
from shopfloor.services.security.address import is_loopback
from shopfloor.services.security.database import Database
from shopfloor.services.security.doors import Doors
from shopfloor.services.security.guard import BUNDLES, Caller, Guard, Refusal, Request
from shopfloor.services.security.middleware import GuardMiddleware
from shopfloor.services.security.rights import Right, Role
from shopfloor.services.security.scope import Scope
from shopfloor.services.security.sessions import Sessions
from shopfloor.services.security.setup import Setup
from shopfloor.services.security.tokens import Tokens, gateway_token

__all__ = [
    "BUNDLES",
    "Accounts",
    "Caller",
    "Database",
    "Doors",
    "Guard",
    "GuardMiddleware",
    "Refusal",
    "Request",
    "Right",
    "Role",
    "Scope",
    "Sessions",
    "Setup",
    "Tokens",
    "gateway_token",
    "is_loopback",
]
