"""Latest: the newest value of each tag."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.plant import Reader
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer, times_ms
from shopfloor.services.catalog import Catalog
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class Latest(BaseModel):
    """A value, its source time (epoch ms), its OPC UA StatusCode, and the severity of that (0 good to 2 bad)."""

    tag: str
    time: float
    value: float | int | str | None
    quality: int
    severity: int


def router(catalog: Catalog, reader: Reader) -> APIRouter:
    """`GET latest`."""
    routes = Routes(tags=["values"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/latest", response_model=list[Latest])
    def get_latest(
        tag: Annotated[list[str], Query(description="Full tag path; repeat for more.")] = [],  # noqa: B006
        asset: Annotated[list[str], Query(description="Asset path; repeat for more.")] = [],  # noqa: B006
    ) -> Response:
        """Give the newest values of tags, of assets, or of all."""
        names = [catalog.find(path).path for path in tag]
        names += [entry.path for path in asset for entry in catalog.of(str(catalog.asset(path).path))]
        if not tag and not asset:
            names = list(catalog.tags)
        return answer(rows(reader.latest(names)))

    return routes


def rows(latest: pa.Table) -> list[dict[str, object]]:
    """A reader's answer as the API shows it."""
    times = times_ms(latest.column("time").cast(pa.int64()).to_numpy())
    value, text = (latest.column(name).to_pylist() for name in ("value", "text"))
    quality = latest.column("quality").to_pylist()
    tags = latest.column("tag").to_pylist()
    return [
        {"tag": t, "time": ms, "value": v if x is None else x, "quality": q, "severity": min(q >> 30, 2)}
        for t, ms, v, x, q in zip(tags, times, value, text, quality, strict=True)
    ]
