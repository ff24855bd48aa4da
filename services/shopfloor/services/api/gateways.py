"""Gateways: how they do, as they say themselves once a second."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, TOO_LARGE
from shopfloor.services.gateways import Gateways
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class SourcePost(BaseModel):
    """One source of a gateway."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=200)
    kind: str = ""
    url: str = ""
    state: str = "connecting"
    detail: str = ""
    tags: int = 0
    values_per_s: float = 0.0
    newest_time: float | None = None
    good: int = 0
    uncertain: int = 0
    bad: int = 0
    reconnects: int = 0
    accepted: int = 0
    spooled: int = 0
    rejected: int = 0
    dropped: int = 0
    backfilled: int = 0
    gaps: int = 0


class GatewayPost(BaseModel):
    """How a gateway and its sources do."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=200)
    pid: int | None = None
    version: str = ""
    time: float | None = None
    rss_bytes: int | None = None
    cpu_s: float | None = None
    spool: dict[str, Any] = {}
    sources: list[SourcePost] = Field(default=[], max_length=1_000)


def router(gateways: Gateways) -> APIRouter:
    """`POST gateways/{gateway}/health`."""
    routes = Routes(tags=["gateway"], responses=ERRORS | TOO_LARGE, dependencies=[needs(Right.FORWARD)])

    @routes.post("/gateways/{gateway}/health", status_code=204, response_class=Response)
    def health(gateway: Annotated[str, Path(max_length=100)], post: GatewayPost) -> Response:
        """Take a gateway's health."""
        gateways.post(gateway, post.model_dump())
        return Response(status_code=204)

    return routes
