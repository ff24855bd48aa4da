"""The guard: decides for every request who asks, and whether that may be answered.

A gateway shows the gateway token. On a server that listens on loopback only and has no accounts, a program or browser
of the same machine may do everything without a login. Everybody else shows an API token, or the cookie of a session.
The guard says who asks and in which role; each route says which right that takes (`rights.py`).
Clients of InfluxDB show an API token in the ways they know; it may be for reading or for writing values only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from shopfloor.services.security.address import host_of, is_loopback
from shopfloor.services.security.credentials import bearer, cookie, password
from shopfloor.services.security.doors import Doors
from shopfloor.services.security.rights import Role
from shopfloor.services.security.sessions import Session, is_csrf
from shopfloor.services.security.tokens import digest, same

API: Final = "/api/v1"
_GATEWAY: Final = re.compile(rf"{API}/(ingest(/.*)?|gateways/[^/]+/(health|errands(/[^/]+)?))")
INFLUX: Final = re.compile(r"/write|/query|/ping|/health|/api/v2/.*")
"""The paths at which clients of InfluxDB ask."""
INFERENCE: Final = re.compile(r"/v2(/.*)?")
"""The paths of the Open Inference Protocol; its bodies hold bytes behind JSON, and change nothing."""
_OPEN: Final = frozenset(
    {"/login", f"{API}/login", f"{API}/login/oidc", f"{API}/setup", "/login.js", "/login.css", "/favicon.ico"}
)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BUNDLES: Final = f"{API}/registry/bundles"
"""Where a bundle is sent as it is. No page of another origin can name its content type without being asked first."""
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class Request:
    """What the guard looks at: header names in lower case; method "WEBSOCKET" for a socket; the query string."""

    method: str
    path: str
    client: str
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: "gateway", "local" (this machine, no login), or the name of an account or token.

    `way` is how they came in: "account", "token", "oidc", "local", "gateway" or "open". `session` is the session's id.
    """

    name: str
    role: Role | None = None
    way: str = "open"
    session: str = ""


ANYBODY: Final = Caller("anybody")
_LOCAL: Final = Caller("local", Role.ADMIN, "local")
_GATEWAY_CALLER: Final = Caller("gateway", Role.GATEWAY, "gateway")
_UNKNOWN: Final = "The token is unknown or was revoked: ask for a new one."
_SIGN_IN: Final = "This server asks for a token or a session: sign in, or send 'Authorization: Bearer' and a token."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: int
    sentence: str


class Guard:
    """Judges requests. `open_on_loopback` is true when the server listens on loopback only."""

    def __init__(self, doors: Doors, gateway: str, *, open_on_loopback: bool) -> None:
        self._accounts, self._tokens, self._sessions = doors.accounts, doors.tokens, doors.sessions
        self._gateway = digest(gateway)
        self._open_on_loopback = open_on_loopback

    def judge(self, request: Request) -> Caller | Refusal:
        """Who asks, or why not."""
        if _GATEWAY.fullmatch(request.path):
            return self._judge_gateway(request)
        if refusal := self._judge_origin(request):
            return refusal
        if request.path in _OPEN:
            return ANYBODY
        return self._judge_scope(request, self._judge_caller(request))

    def _judge_scope(self, request: Request, caller: Caller | Refusal) -> Caller | Refusal:
        if isinstance(caller, Refusal) or caller.way != "token":
            return caller
        scope = self._tokens.scope(caller.name)
        if scope.allows(request.method, request.path):
            return caller
        return Refusal(403, f"The token {caller.name!r} may only {scope.value}: make one that may with --scope.")

    def _judge_gateway(self, request: Request) -> Caller | Refusal:
        token = bearer(request.headers)
        if not token:
            return Refusal(
                401,
                "Gateways alone send here: they show 'Authorization: Bearer' and the token of secrets/gateway.token.",
            )
        if not same(token, self._gateway):
            return Refusal(
                403, "The gateway token is not the one of this server: copy secrets/gateway.token from its data folder."
            )
        return _GATEWAY_CALLER

    def _judge_origin(self, request: Request) -> Refusal | None:
        """A browser says which page asks: a foreign page may neither change anything nor open a socket."""
        if request.method in _SAFE:
            return None
        origin, host = request.headers.get("origin"), request.headers.get("host", "")
        if origin is not None and not self._is_own(origin, host):
            return Refusal(403, f"A page of {origin[:100]} may not ask this server: open its own pages instead.")
        if request.method == "WEBSOCKET" or INFLUX.fullmatch(request.path) or INFERENCE.fullmatch(request.path):
            return None
        said = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.path == BUNDLES and said != "application/octet-stream":
            return Refusal(415, "A bundle is sent as it is: send 'Content-Type: application/octet-stream'.")
        if request.path != BUNDLES and said != "application/json":
            return Refusal(415, "A request that changes something is JSON: send 'Content-Type: application/json'.")
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        netloc = urlsplit(origin).netloc.lower()
        if netloc and netloc == host.lower():
            return True
        return self._open_on_loopback and is_loopback(host_of(netloc)) and is_loopback(host_of(host))

    def _judge_caller(self, request: Request) -> Caller | Refusal:
        is_influx = INFLUX.fullmatch(request.path) is not None
        if token := bearer(request.headers, *(("bearer", "token") if is_influx else ())):
            owner = self._tokens.owner(token.rpartition(":")[2] if is_influx else token)
            return self._of_token(owner) if owner else Refusal(401, _UNKNOWN)
        word = password(request.headers, request.query) if is_influx else ""
        if word and (owner := self._tokens.owner(word)):
            return self._of_token(owner)
        shown = cookie(request.headers)
        session = self._sessions.find(shown) if shown else None
        if session and (caller := self._of_session(session)):
            return self._judge_session(request, shown, session, caller)
        return self._judge_local(request)

    def _of_token(self, owner: str) -> Caller:
        return Caller(owner, self._tokens.role(owner), "token")

    def _of_session(self, session: Session) -> Caller | None:
        """Who the session's person is now: an account or token that is gone has none."""
        if session.way == "token":
            made, role = self._tokens.made(session.owner), self._tokens.role(session.owner)
            return Caller(session.owner, role, "token", session.id) if made and made <= session.began else None
        account = self._accounts.find(session.owner)
        if account is None or account.disabled or account.way != session.way:
            return None
        return Caller(account.name, account.role, account.way, session.id)

    def _judge_session(self, request: Request, shown: str, session: Session, caller: Caller) -> Caller | Refusal:
        if caller.role is None or self._sessions.is_idle(session, caller.role):
            self._sessions.end(shown)
            return Refusal(401, _idle(self._sessions.idle_s))
        if request.method == "WEBSOCKET":
            has_origin = "origin" in request.headers
            return caller if has_origin else Refusal(403, "A socket of a session comes from a page: send its Origin.")
        if request.method not in _SAFE:
            if not is_csrf(request.headers.get("x-csrf-token", ""), shown):
                return Refusal(403, "The page is not of this session: load it again, or send its 'X-CSRF-Token'.")
            self._sessions.use(session)
        return caller

    def _judge_local(self, request: Request) -> Caller | Refusal:
        if not self._open_on_loopback or not is_loopback(request.client):
            return Refusal(401, _SIGN_IN)
        if any(name in request.headers for name in _FORWARDED):
            return Refusal(401, "A forwarded request needs a token: log in, or send 'Authorization: Bearer'.")
        if not is_loopback(host_of(request.headers.get("host", ""))):
            return Refusal(403, "Without a token this server answers to the name localhost only: use that.")
        return Refusal(401, _SIGN_IN) if self._accounts.exist() else _LOCAL


def _idle(seconds: float) -> str:
    """The sentence for whom a session has ended.

    >>> _idle(1800.0)
    'The session ended after 30 min in which nothing was done: sign in again.'
    """
    return f"The session ended after {seconds / 60:g} min in which nothing was done: sign in again."
