"""Signing in and out: a password, a token or the set-up code shown once becomes the cookie of a session."""

from __future__ import annotations

import asyncio
import math
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.plant import ConfigError
from shopfloor.services.api.needs import changed, needs, who
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, answer, refused
from shopfloor.services.security import Caller, Doors, Right, Role
from shopfloor.services.security.oidc import Provider, ProviderAway
from shopfloor.services.security.rights import RIGHTS, may
from shopfloor.services.security.sessions import COOKIE, CSRF_COOKIE, csrf
from shopfloor.services.security.throttle import Throttle
from shopfloor.services.site import is_tls
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

_AT_ONCE: Final = 2
_GOODBYE: Final = "The session ended here; the page goes on to the identity provider, to sign out there."
_WRONG: Final = {
    "account": "This name and password do not belong together, or the account is disabled.",
    "token": "This token is unknown or was revoked: ask for a new one.",
}
_SLOW: Final = refused({429: "Too many wrong passwords; Retry-After says when to try again."})


class Login(BaseModel):
    """An account and its password, or a token made with `shopfloor token create`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=100)
    password: str = Field("", max_length=500)
    token: str = Field("", max_length=500)


class First(BaseModel):
    """The first admin, with the code of the console."""

    code: str = Field(max_length=50)
    name: str = Field(max_length=100)
    password: str = Field(max_length=500)


class Who(BaseModel):
    """Who signed in."""

    name: str


class Ways(BaseModel):
    """How to come in: whether the first account is still to be made, and whether there are accounts with a password.

    `oidc` is what the identity provider is called, "" without one.
    """

    setup: bool
    accounts: bool
    oidc: str


class Out(BaseModel):
    """Where to sign out as well: an address at the identity provider."""

    url: str


class Me(BaseModel):
    """Who asks, how they came in, and what they may do."""

    name: str
    role: str
    way: str
    rights: list[str]


def router(doors: Doors, throttle: Throttle, provider: Provider | None) -> APIRouter:
    """`GET` and `POST login`, `POST setup`, `POST logout`, `GET me`."""
    routes = Routes(tags=["security"], responses=ERRORS, dependencies=[needs(Right.OPEN)])
    _add_ways_in(routes, doors, throttle)

    @routes.get("/login", response_model=Ways)
    def ways() -> Response:
        """How to come in."""
        label = provider.label if provider else ""
        return answer({"setup": doors.setup.is_open, "accounts": doors.accounts.have_passwords(), "oidc": label})

    @routes.post("/logout", status_code=204, responses=NO_JSON | {200: {"model": Out, "description": _GOODBYE}})
    def logout(request: Request) -> Response:
        """End the session."""
        doors.sessions.end(request.cookies.get(COOKIE, ""))
        further = goodbye(provider, request) if provider and who(request).way == "oidc" else ""
        reply = answer({"url": further}) if further else Response(status_code=204)
        reply.delete_cookie(COOKIE, path="/")
        reply.delete_cookie(CSRF_COOKIE, path="/")
        return reply

    @routes.get("/me", response_model=Me)
    def me(request: Request) -> Response:
        """Who asks, and what they may do."""
        caller = who(request)
        role = caller.role.value if caller.role else ""
        rights = [right.value for right in RIGHTS if may(caller.role, right)]
        return answer({"name": caller.name, "role": role, "way": caller.way, "rights": rights})

    return routes


def _add_ways_in(routes: APIRouter, doors: Doors, throttle: Throttle) -> None:
    at_once = asyncio.Semaphore(_AT_ONCE)

    @routes.post("/login", response_model=Who, responses=NO_JSON | _SLOW)
    async def login(request: Request, said: Login) -> Response:
        """Begin a session; its cookie can be read by no script and by no other site."""
        name = "" if said.token else said.name.strip().lower()
        wait(throttle, name, request)
        if said.token:
            owner, role, way = _token(doors, said.token.strip())
        else:
            async with at_once:
                owner, role, way = await run_in_threadpool(_account, doors, name, said.password)
        request.state.noted_as = Caller(owner or name, role, way)
        if role is None:
            throttle.wrong(name, address_of(request))
            raise HTTPException(401, _WRONG[way])
        throttle.right(name, address_of(request))
        return begun(request, doors, owner, way)

    @routes.post("/setup", response_model=Who, responses=NO_JSON | _SLOW)
    def set_up(request: Request, said: First) -> Response:
        """Make the first admin, once, with the code that the server printed when it started."""
        wait(throttle, "", request)
        name = said.name.strip().lower()
        if not doors.setup.take(said.code, lambda: _first(doors, name, said.password)):
            throttle.wrong("", address_of(request))
            raise HTTPException(401, "This is not the code that the server printed when it started last.")
        request.state.noted_as = Caller(name, Role.ADMIN, "account")
        changed(request, None, {"name": name, "role": Role.ADMIN.value})
        return begun(request, doors, name, "account")


def wait(throttle: Throttle, name: str, request: Request) -> None:
    """Refuse whoever guessed wrong too often, for a while."""
    if (left := throttle.wait(name, address_of(request))) > 0:
        seconds = str(math.ceil(left))
        raise HTTPException(429, f"Too many wrong tries: try again in {seconds} s.", {"Retry-After": seconds})


def _account(doors: Doors, name: str, password: str) -> tuple[str, Role | None, str]:
    return name, doors.accounts.get(name).role if doors.accounts.knows(name, password) else None, "account"


def _token(doors: Doors, token: str) -> tuple[str, Role | None, str]:
    owner = doors.tokens.owner(token) or ""
    return owner, doors.tokens.role(owner), "token"


def address_of(request: Request) -> str:
    """The address that asks."""
    return request.client.host if request.client else ""


def begun(
    request: Request, doors: Doors, owner: str, way: str, role: str = "", reply: Response | None = None
) -> Response:
    """The answer that begins a session: two cookies, of which a page can read the one that proves it is ours."""
    reply = reply or answer({"name": owner})
    agent = request.headers.get("user-agent", "")
    session = doors.sessions.begin(owner, way, role=role, address=address_of(request), agent=agent)
    secure, life = is_tls(request.scope), int(doors.sessions.life_s)
    reply.set_cookie(COOKIE, session, life, httponly=True, samesite="strict", secure=secure, path="/")
    reply.set_cookie(CSRF_COOKIE, csrf(session), life, samesite="strict", secure=secure, path="/")
    return reply


def origin_of(request: Request) -> str:
    """The address of this server as the browser writes it."""
    return f"{'https' if is_tls(request.scope) else 'http'}://{request.headers.get('host', '')}"


def goodbye(provider: Provider, request: Request) -> str:
    """Where to sign out as well; a provider that is away keeps nobody signed in here."""
    try:
        return provider.goodbye(f"{origin_of(request)}/login")
    except ProviderAway:
        return ""


def _first(doors: Doors, name: str, password: str) -> None:
    if doors.accounts.exist():
        raise ConfigError("There is an account already: sign in.")
    doors.accounts.create(name, password, Role.ADMIN)
    doors.accounts.saw(name)
