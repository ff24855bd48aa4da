"""Errands: people ask a gateway through the server; the answer comes as lines of JSON while it is found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.needs import changed, demand, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, PLAIN, answer, problem
from shopfloor.services.errands import Errands, GatewayUnknown
from shopfloor.services.security.rights import Right
from starlette.responses import Response, StreamingResponse

LINES: Final = "application/x-ndjson"
KINDS: Final = {
    "browse": "what a device or broker offers",
    "values": "what some of its variables hold now, each second",
    "entry": "the source, as text, that reads what was picked; and a text read back",
    "examine": "the connection doctor's findings",
    "certificates": "the certificates that the gateway knows",
    "approve": "trust a certificate",
    "reject": "never trust a certificate",
    "connections": "the sources, as text",
    "check": "what a text would change, without changing it",
    "save": "keep a connection and use it at once",
    "remove": "end a connection that was made on a page",
    "audit": "what was written to devices, newest first",
}
_RIGHTS: Final = {
    **dict.fromkeys(("certificates", "connections", "audit"), Right.SEE),
    **dict.fromkeys(("browse", "values", "entry", "examine", "check"), Right.BROWSE),
    **dict.fromkeys(("approve", "reject"), Right.CERTIFICATES),
    **dict.fromkeys(("save", "remove"), Right.SOURCES),
}


_WRITING: Final = frozenset({Right.CERTIFICATES, Right.SOURCES})
"""Rights of calls that change the gateway: the audit waits for what it says of before and after."""


_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {LINES: {"schema": {"type": "object"}}},
        "description": "Lines of JSON; the last one is {done} or {error}.",
    }
}


class Take(BaseModel):
    """A gateway asks what there is to do."""

    wait_s: float = Field(20.0, ge=0, le=60)
    doing: list[Annotated[str, Field(max_length=40)]] | None = Field(
        None, max_length=1_000, description="Ids of the requests that it has fetched and not finished."
    )


class Errand(BaseModel):
    """One request of a person."""

    id: str
    kind: str
    body: dict[str, Any]


class Taken(BaseModel):
    """What there is to do, and the ids of requests whose asker has gone."""

    errands: list[Errand]
    gone: list[str]


class Parts(BaseModel):
    """Parts of an answer, and with the last ones how it ended: {"done": true} or {"error": sentence}."""

    parts: list[dict[str, Any]] = Field(default=[], max_length=1_000)
    end: dict[str, Any] | None = None


class Wanted(BaseModel):
    """Whether somebody still waits for the answer."""

    wanted: bool


def router(errands: Errands) -> APIRouter:
    """`POST gateways/{gateway}/calls/{kind}` for people, `POST gateways/{gateway}/errands` for gateways."""
    routes = Routes(responses=ERRORS | NO_JSON)

    @routes.post(
        "/gateways/{gateway}/calls/{kind}",
        dependencies=[needs(Right.SEE)],
        tags=["gateway"],
        response_class=StreamingResponse,
        responses=_ANSWER | NOT_FOUND,
        description="Ask a gateway. Kinds: " + "; ".join(f"`{kind}`: {text}" for kind, text in KINDS.items()) + ".",
    )
    async def call(
        request: Request,
        gateway: Annotated[str, Path(max_length=100)],
        kind: Annotated[str, Path(max_length=40)],
        body: Annotated[dict[str, Any], Body()],
    ) -> Response:
        if kind not in KINDS:
            return problem(404, f"There is no call {kind[:40]!r}: use one of {', '.join(KINDS)}.")
        demand(request, _RIGHTS[kind])
        try:
            known = errands.gateway(gateway)
        except GatewayUnknown as unknown:
            return problem(404, str(unknown))
        by = request.scope.get("state", {}).get("caller", "")
        parts: AsyncIterator[dict[str, Any]] = errands.ask(known, kind, {**body, "by": by})
        if _RIGHTS[kind] in _WRITING:
            parts = await _noted(request, parts)
        return StreamingResponse(_lines(parts), media_type=LINES, headers={**PLAIN, "Cache-Control": "no-store"})

    @routes.post(
        "/gateways/{gateway}/errands", dependencies=[needs(Right.FORWARD)], tags=["gateway"], response_model=Taken
    )
    async def take(request: Request, gateway: Annotated[str, Path(max_length=100)], said: Take) -> Response:
        """A gateway fetches what people ask of it."""
        return answer(await errands.take(gateway, said.wait_s, said.doing, request.is_disconnected))

    @routes.post(
        "/gateways/{gateway}/errands/{number}",
        dependencies=[needs(Right.FORWARD)],
        tags=["gateway"],
        response_model=Wanted,
    )
    async def parts(
        gateway: Annotated[str, Path(max_length=100)], number: Annotated[str, Path(max_length=40)], said: Parts
    ) -> Response:
        """A gateway sends what it found."""
        return answer({"wanted": await errands.answer(gateway, number, said.parts, said.end)})

    return routes


async def _noted(request: Request, parts: AsyncIterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    """All parts of a call that changes something, once the audit knows what came of it."""
    every = [part async for part in parts]
    said = next((part for part in every if "after" in part or "error" in part), {})
    changed(request, said.get("before"), {"error": said["error"]} if "error" in said else said.get("after"))

    async def again() -> AsyncIterator[dict[str, Any]]:
        for part in every:
            yield part

    return again()


async def _lines(parts: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    async for part in parts:
        yield json.dumps(part, ensure_ascii=False).encode() + b"\n"
