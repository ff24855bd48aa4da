"""Tags: what each value is called, measured in, and where it is normal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.catalog import Catalog, Entry
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class LimitView(BaseModel):
    """An alarm limit."""

    side: str
    value: float
    priority: int


class TagView(BaseModel):
    """A tag."""

    path: str
    name: str
    kind: str
    unit: str
    title: str
    description: str
    decimals: int
    normal: tuple[float, float] | None
    limits: list[LimitView]
    states: list[str]
    writable: bool
    origin: str | None


def view(catalog: Catalog, entry: Entry) -> dict[str, Any]:
    """A tag as the API shows it; its `origin` is that of a source in `GET health`, once a value came from there."""
    tag = entry.tag
    return {
        "path": entry.path,
        "name": tag.name,
        "kind": tag.kind.value,
        "unit": tag.unit,
        "title": tag.title or tag.name,
        "description": tag.description,
        "decimals": tag.decimals,
        "normal": [tag.normal.low, tag.normal.high] if tag.normal else None,
        "limits": [{"side": x.side.value, "value": x.value, "priority": x.priority} for x in tag.limits],
        "states": tag.states,
        "writable": tag.writable,
        "origin": catalog.origin(entry.path),
    }


def router(catalog: Catalog) -> APIRouter:
    """`GET tags`."""
    routes = Routes(tags=["plant"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/tags", response_model=list[TagView])
    def get_tags(asset: Annotated[str | None, Query(description="Asset path; absent: all.")] = None) -> Response:
        """List the tags of an asset, or of the whole plant."""
        if asset is None:
            return answer([view(catalog, entry) for entry in list(catalog.tags.values())])
        return answer([view(catalog, entry) for entry in catalog.of(str(catalog.asset(asset).path))])

    return routes
