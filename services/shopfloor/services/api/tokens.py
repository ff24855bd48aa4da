"""Tokens of programs, for admins: made, listed, revoked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.life import Nothing
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, answer
from shopfloor.services.security import Right, Role, Scope, Tokens
from shopfloor.services.security.tokens import TokenInfo
from starlette.responses import Response


class TokenView(BaseModel):
    """A token, never what it is; `created` is epoch ms."""

    name: str
    created: float
    scope: str
    role: str


class TokenPost(BaseModel):
    """A new token: with a scope, or with a role."""

    name: str = Field(max_length=100)
    scope: Scope = Scope.FULL
    role: Role | None = None


class TokenMade(TokenView):
    """A new token: the only time that it is shown."""

    token: str


def router(tokens: Tokens) -> APIRouter:
    """`GET` and `POST tokens`, `POST tokens/{name}/revoke`."""
    routes = Routes(tags=["security"], responses=ERRORS, dependencies=[needs(Right.TOKENS)])

    @routes.get("/tokens", response_model=list[TokenView])
    def get_tokens() -> Response:
        """List the tokens."""
        return answer([_view(info) for info in tokens.list()])

    @routes.post("/tokens", response_model=TokenMade, responses=NO_JSON)
    def create(request: Request, said: TokenPost) -> Response:
        """Make a token; the server keeps only its hash."""
        token = tokens.create(said.name.strip(), said.scope, said.role)
        (made,) = (_view(info) for info in tokens.list() if info.name == said.name.strip())
        changed(request, None, made)
        return answer({**made, "token": token})

    @routes.post("/tokens/{name}/revoke", response_model=TokenView, responses=NO_JSON)
    def revoke(request: Request, name: Annotated[str, Path(max_length=100)], _: Nothing) -> Response:
        """Forget a token; it is refused from now on, and its sessions end."""
        before = next((_view(info) for info in tokens.list() if info.name == name), None)
        tokens.revoke(name)
        changed(request, before, None)
        return answer(before)

    return routes


def _view(info: TokenInfo) -> dict[str, Any]:
    return {"name": info.name, "created": info.created * 1e3, "scope": info.scope.value, "role": info.role.value}
