"""Accounts, their sessions, and everybody's own password."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.life import Nothing
from shopfloor.services.api.needs import changed, needs, who
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, answer
from shopfloor.services.security import Doors, Right, Role
from shopfloor.services.security.accounts import Account
from shopfloor.services.security.sessions import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

Name = Annotated[str, Path(max_length=100)]


class AccountView(BaseModel):
    """An account; times are epoch ms. `way` "oidc": an identity provider vouches for it and says its role."""

    name: str
    role: str
    created: float
    disabled: bool
    seen: float | None
    way: Literal["account", "oidc"]


class AccountPost(BaseModel):
    """A new account."""

    name: str = Field(max_length=100)
    role: Role
    password: str = Field(max_length=500)


class RolePost(BaseModel):
    """Another role."""

    role: Role


class PasswordPost(BaseModel):
    """Another password."""

    password: str = Field(max_length=500)


class OwnPassword(PasswordPost):
    """One's own password, old and new."""

    old: str = Field(max_length=500)


class DisabledPost(BaseModel):
    """Whether the account may sign in no more."""

    disabled: bool


class SessionView(BaseModel):
    """A session; times are epoch ms. `here` is the one that asks."""

    id: str
    owner: str
    way: str
    began: float
    used: float
    until: float
    address: str
    agent: str
    here: bool


class Ended(BaseModel):
    """How many sessions ended."""

    ended: int


def router(doors: Doors) -> APIRouter:
    """`accounts`, `sessions`, and `me/…` for everybody's own."""
    routes = Routes(tags=["security"], responses=ERRORS)
    _add_accounts(routes, doors)
    _add_sessions(routes, doors)
    _add_own(routes, doors)
    return routes


def _add_accounts(routes: APIRouter, doors: Doors) -> None:
    admin: dict[str, Any] = {"dependencies": [needs(Right.ACCOUNTS)], "response_model": AccountView}
    changes = {**admin, "responses": NO_JSON}
    accounts = doors.accounts

    @routes.get("/accounts", dependencies=[needs(Right.ACCOUNTS)], response_model=list[AccountView])
    def get_accounts() -> Response:
        """List the accounts."""
        return answer([_view(account) for account in accounts.list()])

    @routes.post("/accounts", **changes)
    def create(request: Request, said: AccountPost) -> Response:
        """Make an account; the first one is an admin's, and from then on everybody signs in."""
        return _done(request, None, accounts.create(said.name.strip().lower(), said.password, said.role))

    @routes.post("/accounts/{name}/role", **changes)
    def set_role(request: Request, name: Name, said: RolePost) -> Response:
        """Give another role; it holds at once, also in open sessions and sockets."""
        return _done(request, accounts.get(name), accounts.set_role(name, said.role))

    @routes.post("/accounts/{name}/password", **changes)
    def set_password(request: Request, name: Name, said: PasswordPost) -> Response:
        """Give a new password, and end all sessions of the account."""
        before = accounts.get(name)
        accounts.set_password(name, said.password)
        doors.sessions.end_all(name)
        return _done(request, before, accounts.get(name))

    @routes.post("/accounts/{name}/disable", **changes)
    def disable(request: Request, name: Name, said: DisabledPost) -> Response:
        """Let an account sign in no more, or again. It stays, for what it did carries its name."""
        before, after = accounts.get(name), accounts.disable(name, disabled=said.disabled)
        if said.disabled:
            doors.sessions.end_all(name, after.way)
        return _done(request, before, after)


def _add_sessions(routes: APIRouter, doors: Doors) -> None:
    needed, sessions = [needs(Right.SESSIONS)], doors.sessions

    @routes.get("/sessions", dependencies=needed, response_model=list[SessionView])
    def get_sessions(request: Request) -> Response:
        """List all open sessions."""
        return answer([_session(request, session) for session in sessions.list()])

    @routes.post("/sessions/{number}/end", dependencies=needed, response_model=Ended, responses=NO_JSON)
    def end(request: Request, number: Annotated[str, Path(max_length=64)], _: Nothing) -> Response:
        """End a session; its next request and its open page are refused."""
        return _ended(request, [one for one in sessions.list() if one.id == number], sessions.revoke(number))

    @routes.post("/accounts/{name}/sign-out", dependencies=needed, response_model=Ended, responses=NO_JSON)
    def sign_out(request: Request, name: Name, _: Nothing) -> Response:
        """End all sessions of an account."""
        account = doors.accounts.get(name)
        before = _of(sessions.list(), account.name, account.way)
        return _ended(request, before, sessions.end_all(account.name, account.way))


def _add_own(routes: APIRouter, doors: Doors) -> None:
    own: dict[str, Any] = {"dependencies": [needs(Right.OWN)], "responses": NO_JSON}

    @routes.get("/me/sessions", dependencies=[needs(Right.OWN)], response_model=list[SessionView])
    def get_own(request: Request) -> Response:
        """List one's own open sessions."""
        me = who(request)
        return answer([_session(request, session) for session in _of(doors.sessions.list(), me.name, me.way)])

    @routes.post("/me/sign-out", response_model=Ended, **own)
    def sign_out_elsewhere(request: Request, _: Nothing) -> Response:
        """End all of one's own sessions but this one."""
        me = who(request)
        others = [one for one in _of(doors.sessions.list(), me.name, me.way) if one.id != me.session]
        return _ended(request, others, doors.sessions.end_all(me.name, me.way, but=me.session))

    @routes.post("/me/here", status_code=204, dependencies=[needs(Right.SEE)], responses=NO_JSON)
    def here(_: Nothing) -> Response:
        """The person of this session is at the page: it does not end for want of use."""
        return Response(status_code=204)

    @routes.post("/me/password", response_model=Ended, **own)
    def change(request: Request, said: OwnPassword) -> Response:
        """Change one's own password, and end all other sessions."""
        name = who(request).name
        if who(request).way != "account":
            raise HTTPException(403, f"{name} has no password here: only accounts have one.")
        if not doors.accounts.knows(name, said.old):
            raise HTTPException(403, "The old password is another one.")
        before = doors.accounts.get(name)
        doors.accounts.set_password(name, said.password)
        changed(request, _view(before), _view(doors.accounts.get(name)))
        return answer({"ended": doors.sessions.end_all(name, but=who(request).session)})


def _of(sessions: list[Session], name: str, way: str) -> list[Session]:
    return [session for session in sessions if (session.owner, session.way) == (name, way)]


def _ended(request: Request, before: list[Session], ended: int) -> Response:
    """How many sessions ended; the audit notes whose and from where."""
    changed(request, [_session(request, session) for session in before], [])
    return answer({"ended": ended})


def _done(request: Request, before: Account | None, after: Account) -> Response:
    changed(request, _view(before) if before else None, _view(after))
    return answer(_view(after))


def _view(account: Account) -> dict[str, Any]:
    seen = None if account.seen is None else account.seen * 1e3
    return {**asdict(account), "role": account.role.value, "created": account.created * 1e3, "seen": seen}


def _session(request: Request, session: Session) -> dict[str, Any]:
    times = {key: getattr(session, key) * 1e3 for key in ("began", "used", "until")}
    told = {key: getattr(session, key) for key in ("id", "owner", "way", "address", "agent")}
    return {**told, **times, "here": session.id == who(request).session}
