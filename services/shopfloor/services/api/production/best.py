"""The best run: with which earlier one the run that goes on can be compared."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.services.api.history import time_limits
from shopfloor.services.api.needs import needs
from shopfloor.services.api.production.words import At
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.production import Production, ProductionUnknown
from shopfloor.services.production.best import Best, Stretch, best_run
from shopfloor.services.security.rights import Right
from starlette.responses import Response

Asset = Annotated[str, Query(max_length=600, description="Path of a machine.")]


class StretchView(BaseModel):
    """A run; its name is that of an order, an item or a shift."""

    name: str
    start: float
    end: float


class JudgedView(StretchView):
    """An earlier run with what speaks for it, as shares, and the parts made."""

    oee: float | None
    scrap_ratio: float | None
    made: float


class BestView(BaseModel):
    """The run that goes on, and the best of `runs` earlier ones of the same item, by OEE or by scrap; null: none."""

    asset: str
    basis: Literal["order", "item", "shift"]
    item: str
    by: Literal["oee", "scrap", ""]
    runs: int
    now: StretchView
    best: JudgedView | None


def view(asset: str, found: Best) -> dict[str, object]:
    """The answer."""
    best = found.best and _told(found.best.run) | {
        "oee": found.best.kpis.oee, "scrap_ratio": found.best.kpis.scrap_ratio, "made": found.best.made,
    }  # fmt: skip
    return {
        "asset": asset, "basis": found.basis, "item": found.item, "by": found.by, "runs": found.runs,
        "now": _told(found.now), "best": best,
    }  # fmt: skip


def _told(run: Stretch) -> dict[str, object]:
    return {"name": run.name, "start": to_ms(run.start), "end": to_ms(run.end)}


def router(production: Production) -> APIRouter:
    """`GET production/best`."""
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/best", response_model=BestView)
    def get_best(asset: Asset, at: At = None) -> Response:
        """Tell the best run of the last 30 days of what a machine makes at a moment, to compare with."""
        time_limits(at, None)
        moment = production.clock() if at is None else min(to_ns(at), production.clock())
        machine = production.machines.get(asset)
        if machine is None:
            raise ProductionUnknown(
                f"There is no machine {asset[:200]!r}: ask /api/v1/production/oee for those that are."
            )
        return answer(view(asset, best_run(production, machine, moment)))

    return routes
