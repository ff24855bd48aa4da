"""Login: a token typed once becomes the cookie of a session."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.wire import ERRORS, NO_JSON, answer
from shopfloor.services.security.sessions import COOKIE, LIFE_S, Sessions
from shopfloor.services.security.tokens import Tokens
from starlette.exceptions import HTTPException
from starlette.responses import Response


class Login(BaseModel):
    """A token made with `shopfloor token create`."""

    token: str = Field(min_length=1, max_length=500)


class Who(BaseModel):
    """Whose token it is."""

    name: str


def router(tokens: Tokens, sessions: Sessions) -> APIRouter:
    """`POST login` and `POST logout`."""
    routes = APIRouter(tags=["security"], responses=ERRORS | NO_JSON)

    @routes.post("/login", response_model=Who)
    def login(request: Request, said: Login) -> Response:
        """Begin a session of 12 h; the cookie can be read by no script and by no other site."""
        owner = tokens.owner(said.token.strip())
        if owner is None:
            raise HTTPException(401, "This token is unknown or was revoked: ask for a new one.")
        reply = answer({"name": owner})
        secure = "https" in {request.url.scheme, request.headers.get("x-forwarded-proto")}
        reply.set_cookie(
            COOKIE, sessions.begin(owner), int(LIFE_S), httponly=True, samesite="strict", secure=secure, path="/"
        )
        return reply

    @routes.post("/logout", status_code=204)
    def logout(request: Request) -> Response:
        """End the session."""
        sessions.end(request.cookies.get(COOKIE, ""))
        reply = Response(status_code=204)
        reply.delete_cookie(COOKIE, path="/")
        return reply

    return routes
