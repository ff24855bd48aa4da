"""Signing in at an identity provider (OpenID Connect Core 1.0): the code flow with PKCE, and nothing weaker.

`attempts` remembers what a browser was sent away with, `provider` speaks with the provider, `proof` judges the token
that it signed, `people` says who that is here and in which role.
"""

from shopfloor.services.security.oidc.attempts import Attempt, Attempts
from shopfloor.services.security.oidc.people import Identity
from shopfloor.services.security.oidc.provider import Provider
from shopfloor.services.security.oidc.words import NoRole, NotVouched, ProviderAway

__all__ = ["Attempt", "Attempts", "Identity", "NoRole", "NotVouched", "Provider", "ProviderAway"]
