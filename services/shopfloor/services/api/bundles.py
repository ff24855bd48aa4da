"""Bundles: where a data scientist's sealed model comes in. It is proved before anything of it is kept."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from shopfloor.models.sealing.folder import LARGEST
from shopfloor.models.sealing.refused import RefusedBundle
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer, problem, refused
from shopfloor.services.registry import Registry
from shopfloor.services.registry.arrival import Arrived, arrive
from shopfloor.services.security.rights import Right
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

_AT_ONCE: Final = 2
_TOO_LARGE: Final = f"The bundle is larger than {LARGEST >> 20} MB: train a smaller model."
_REFUSED: Final = refused({413: "More than 64 MB.", 415: "The body is not said to be application/octet-stream."})
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ArrivedView(BaseModel):
    """What became of a bundle: a version of its name, and its stage on the scope; `sha` is its address."""

    name: str
    number: int
    sha: str
    identity: str
    scope: str
    stage: str
    sentence: str


def router(registry: Registry) -> APIRouter:
    """`POST registry/bundles`."""
    routes = Routes(tags=["registry"], responses=ERRORS, dependencies=[needs(Right.SEE)])
    at_once = asyncio.Semaphore(_AT_ONCE)

    @routes.post(
        "/registry/bundles",
        dependencies=[needs(Right.DEPLOY)],
        response_model=ArrivedView,
        responses=_REFUSED,
        openapi_extra=_BODY,
    )
    async def upload(
        request: Request,
        scope: Annotated[str, Query(min_length=1, max_length=300, description="a selector of assets; * is all")] = "*",
        by: Annotated[str, Query(max_length=80, description="the person who sends it")] = "",
        why: Annotated[str, Query(max_length=500)] = "",
    ) -> Response:
        """Take a `.shopfloor` file as the next version of its name: it is judged as a shadow, beside what speaks."""
        async with at_once:
            content = await _content(request)
            if content is None:
                return problem(413, _TOO_LARGE)
            try:
                found = await run_in_threadpool(arrive, registry, content, scope, _person(request, by), why)
            except RefusedBundle as refused:
                return problem(422, str(refused))
        told = _told(found)
        changed(request, None, told)
        return answer(told)

    return routes


async def _content(request: Request) -> bytes | None:
    """The body, None as soon as it is known to be too large."""
    if int(request.headers.get("content-length") or 0) > LARGEST:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _person(request: Request, by: str) -> str:
    caller = str(request.scope.get("state", {}).get("caller", "local"))
    if caller == "local":
        return by
    return f"{by.strip()} ({caller})" if by.strip() else caller


def _told(found: Arrived) -> dict[str, Any]:
    version = found.version
    told = {"name": version.name, "number": version.number, "sha": version.sha, "identity": version.card.identity}
    return {**told, "scope": found.scope, "stage": found.stage.value, "sentence": found.sentence}
