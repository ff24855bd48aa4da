"""The guard as ASGI middleware: in front of every request and every socket."""

from __future__ import annotations

from urllib.parse import quote

from shopfloor.services.security.guard import API, INFERENCE, INFLUX, Guard, Refusal, Request
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class GuardMiddleware:
    """Answers what the guard refuses; passes the rest on with the caller as `who` in `scope["state"]`."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge, then answer or pass on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request = read(scope)
        verdict = self._guard.judge(request)
        if isinstance(verdict, Refusal):
            await _refuse(verdict, request, scope, receive, send)
            return
        scope.setdefault("state", {}).update(caller=verdict.name, who=verdict)
        await self._app(scope, receive, send)


def read(scope: Scope) -> Request:
    """What the guard looks at, from an ASGI scope."""
    client = scope.get("client")
    return Request(
        method=scope.get("method", "WEBSOCKET"),
        path=scope["path"],
        client=client[0] if client else "",
        headers={name.lower(): value for name, value in Headers(scope=scope).items()},
        query=scope.get("query_string", b"").decode("latin-1"),
    )


async def _refuse(refusal: Refusal, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
    wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    is_page = not request.path.startswith(API) and not INFERENCE.fullmatch(request.path)
    if refusal.status == 401 and wants_page and is_page:
        await RedirectResponse(sign_in(request), 303)(scope, receive, send)
        return
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
    body = {"detail": refusal.sentence}
    if INFLUX.fullmatch(request.path):
        code = "unauthorized" if refusal.status == 401 else "forbidden"
        body = {"code": code, "message": refusal.sentence, "error": refusal.sentence}
    if INFERENCE.fullmatch(request.path):
        body = {"error": refusal.sentence}
    await JSONResponse(body, refusal.status, headers)(scope, receive, send)


def sign_in(request: Request) -> str:
    """The sign-in page, which leads back to what was asked for.

    >>> sign_in(Request("GET", "/", "")), sign_in(Request("GET", "/tag", "", query="a=1"))
    ('/login', '/login?next=%2Ftag%3Fa%3D1')
    """
    wanted = request.path + (f"?{request.query}" if request.query else "")
    return "/login" if wanted == "/" else f"/login?next={quote(wanted, '')}"
