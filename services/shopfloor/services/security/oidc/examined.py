"""An identity provider examined, step by step: reached, the secret of the client, its keys, its clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shopfloor.gateway.doctor.finding import NOT_REACHED, Finding, State, failed, ok
from shopfloor.plant.counted import counted
from shopfloor.services.security.oidc.proof import ALGORITHMS, LEEWAY_S, usable
from shopfloor.services.security.oidc.provider import Provider
from shopfloor.services.security.oidc.words import ProviderAway

STEPS: Final = ("provider", "keys", "clock", "secret")


def examine(provider: Provider) -> Iterator[Finding]:
    """One finding per step; without the provider the rest is not reached."""
    try:
        provider.metadata()
    except ProviderAway as away:
        yield _failed("provider", "provider-away", away)
        yield from (Finding(step, State.SKIPPED, "Not reached.", cause=NOT_REACHED) for step in STEPS[1:])
        return
    yield ok("provider", "The provider answers, and signs people in safely.")
    yield _keys(provider)
    yield _clock(provider.ahead_s)
    yield _secret(provider)


def _keys(provider: Provider) -> Finding:
    try:
        keys = provider.fetch_keys()
    except ProviderAway as away:
        return _failed("keys", "provider-keys", away)
    fitting = len(usable(keys))
    if not fitting:
        why = f"The provider shows {counted(len(keys), 'key')}, and none for {', '.join(ALGORITHMS)}"
        return failed("keys", "provider-keys", why, "let it sign the tokens of this client by one of these")
    return ok("keys", f"The provider shows {counted(fitting, 'key')} that tokens may be signed with.")


def _clock(ahead_s: float | None) -> Finding:
    if ahead_s is None:
        return ok("clock", "The provider tells no time.")
    if abs(ahead_s) < LEEWAY_S:
        return ok("clock", f"The clocks differ by less than {LEEWAY_S} s.")
    side = "ahead of" if ahead_s > 0 else "behind"
    why = f"The provider's clock is {abs(ahead_s):.0f} s {side} this machine's, and tokens allow {LEEWAY_S} s"
    return failed("clock", "provider-clock", why, "let both take their time from the same source (NTP)")


def _secret(provider: Provider) -> Finding:
    try:
        secret = provider.secret()
    except ProviderAway as away:
        return _failed("secret", "client-secret", away)
    return ok("secret", "The secret of the client is there." if secret else "The client is a public one.")


def _failed(step: str, cause: str, away: ProviderAway) -> Finding:
    why, _, fix = str(away).partition(": ")
    return failed(step, cause, why, fix or "look at 'accounts.oidc' of the plant file, and at the provider")
