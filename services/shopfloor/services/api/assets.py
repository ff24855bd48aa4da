"""Assets: what stands in the plant, its state now, and its open alarms."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from shopfloor.plant import Asset, Reader
from shopfloor.services.alarms import Alarms
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.tags import TagView, view
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.catalog import Catalog
from shopfloor.services.security.rights import Right
from starlette.responses import Response

STATE = "state"


class AssetView(BaseModel):
    """An asset with its tags."""

    path: str
    site: str
    area: str
    line: str
    cell: str
    asset: str
    type: str
    title: str
    type_title: str
    state: str | None
    alarms: dict[str, int]
    tags: list[TagView]


def router(catalog: Catalog, reader: Reader, alarms: Alarms) -> APIRouter:
    """`GET assets`."""
    routes = Routes(tags=["plant"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/assets", response_model=list[AssetView])
    def get_assets() -> Response:
        """List all assets with state, open alarms by priority, and tags."""
        states, counts = _states(reader, list(catalog.assets)), alarms.counts()
        return answer([_view(catalog, a, states.get(p), counts.get(p)) for p, a in list(catalog.assets.items())])

    return routes


def _states(reader: Reader, assets: list[str]) -> dict[str, str]:
    latest = reader.latest([f"{asset}/{STATE}" for asset in assets])
    rows = zip(latest.column("tag").to_pylist(), latest.column("text").to_pylist(), strict=True)
    return {tag.removesuffix(f"/{STATE}"): text for tag, text in rows if text is not None}


def _view(catalog: Catalog, asset: Asset, state: str | None, counts: Counter[int] | None) -> dict[str, Any]:
    path, counts = asset.path, counts or Counter()
    return {
        "path": str(path),
        "site": path.site,
        "area": path.area,
        "line": path.line,
        "cell": path.cell,
        "asset": path.asset,
        "type": asset.type,
        "title": asset.title,
        "type_title": catalog.type_title(asset),
        "state": state,
        "alarms": {str(priority): counts[priority] for priority in (1, 2, 3)},
        "tags": [view(catalog, entry) for entry in catalog.of(str(path))],
    }
