"""Signing in at the plant's identity provider: sent away with a state, back with a code, and a session begins.

The browser comes back to the sign-in page, whose script shows the code here: so the answer, its sentence when it is a
refusal, and the entry in the audit are those of any other sign-in, and the cookies never travel from another site.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.plant import ConfigError
from shopfloor.services.api.login import Who, address_of, begun, origin_of, wait
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import API, ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.security import Caller, Doors, Right
from shopfloor.services.security.accounts import OIDC, Account
from shopfloor.services.security.oidc import (
    Attempt,
    Attempts,
    Identity,
    NoRole,
    NotVouched,
    Provider,
    ProviderAway,
)
from shopfloor.services.security.oidc.attempts import LIFE_S
from shopfloor.services.security.throttle import Throttle
from shopfloor.services.site import is_tls
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

_LOG: Final = logging.getLogger(__name__)
_COOKIE: Final = "shopfloor_oidc"
_PATH: Final = f"{API}/login/oidc"
_AT_ONCE: Final = 4
_STALE: Final = "This sign-in was not begun in this browser, or it is over: begin again."
_NO_PROVIDER: Final = "This server has no identity provider: sign in with an account or a token."
Text = Annotated[str, Field(max_length=4_000)]


class Away(BaseModel):
    """Where the browser goes to sign in."""

    url: str


class Back(BaseModel):
    """What the provider gave the browser: a code, or an error, and the state."""

    model_config = ConfigDict(extra="forbid")

    state: Text
    code: Text = ""
    iss: Text | None = None
    error: Text = ""


def router(doors: Doors, throttle: Throttle, provider: Provider | None, attempts: Attempts) -> APIRouter:
    """`GET` and `POST login/oidc`."""
    routes = Routes(tags=["security"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.OPEN)])
    at_once = asyncio.Semaphore(_AT_ONCE)

    @routes.get("/login/oidc", response_model=Away)
    async def away(request: Request) -> Response:
        """Begin to sign in at the provider; the cookie ties what comes back to this browser."""
        known = _known(provider)
        cookie, attempt = attempts.begin(f"{origin_of(request)}/login")
        async with at_once:
            reply = answer({"url": await run_in_threadpool(_address, known, attempt)})
        secure = is_tls(request.scope)
        reply.set_cookie(_COOKIE, cookie, int(LIFE_S), httponly=True, samesite="strict", secure=secure, path=_PATH)
        return reply

    @routes.post("/login/oidc", response_model=Who, responses=NO_JSON)
    async def back(request: Request, said: Back) -> Response:
        """Begin a session for whom the provider vouches."""
        known = _known(provider)
        wait(throttle, "", request)
        request.state.noted_as = Caller("", None, OIDC)
        attempt = attempts.take(request.cookies.get(_COOKIE, ""), said.state)
        if attempt is None or said.error or not said.code:
            throttle.wrong("", address_of(request))
            raise HTTPException(401, _refused(known, said) if attempt else _STALE)
        async with at_once:
            found = await run_in_threadpool(_vouched, known, attempt, said)
        reply = begun(request, doors, _let_in(request, doors, found).name, OIDC, found.role.value)
        reply.delete_cookie(_COOKIE, path=_PATH)
        return reply

    return routes


def _known(provider: Provider | None) -> Provider:
    if provider is None:
        raise HTTPException(404, _NO_PROVIDER)
    return provider


def _address(provider: Provider, attempt: Attempt) -> str:
    try:
        return provider.address(attempt)
    except ProviderAway as problem:
        raise _away(problem) from problem


def _vouched(provider: Provider, attempt: Attempt, said: Back) -> Identity:
    try:
        return provider.vouch(attempt, said.code, said.iss)
    except NotVouched as problem:
        _LOG.warning("A sign-in at the identity provider was refused: %s", problem)
        raise HTTPException(401, f"The sign-in does not count: {problem}") from problem
    except NoRole as problem:
        raise HTTPException(403, str(problem)) from problem
    except ProviderAway as problem:
        raise _away(problem) from problem


def _away(problem: ProviderAway) -> HTTPException:
    _LOG.warning("Nobody can sign in at the identity provider: %s", problem)
    return HTTPException(503, str(problem))


def _let_in(request: Request, doors: Doors, found: Identity) -> Account:
    """The account of an identity, with the role that it has by now."""
    request.state.noted_as = Caller(found.name, found.role, OIDC)
    before = doors.accounts.of_subject(found.subject)
    try:
        account = doors.accounts.vouch(found.subject, found.name, found.role)
    except ConfigError as problem:
        raise HTTPException(403, str(problem)) from problem
    request.state.noted_as = Caller(account.name, account.role, OIDC)
    if account.disabled:
        raise HTTPException(403, f"The account {account.name} is disabled here: an admin enables it.")
    doors.accounts.saw(account.name)
    changed(request, _told(before) if before else None, _told(account))
    return account


def _told(account: Account) -> dict[str, str]:
    return {"name": account.name, "role": account.role.value, "way": account.way}


def _refused(provider: Provider, said: Back) -> str:
    error = said.error if said.error.replace("_", "").isalpha() and len(said.error) < 60 else "no code"
    return f"Signing in with {provider.label} ended there ({error}): begin again, or use an account of this server."
