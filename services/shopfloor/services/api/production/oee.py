"""OEE: how lines and machines performed, with the losses that add up to the planned time."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from shopfloor.services.api.needs import needs
from shopfloor.services.api.production.words import At, End, Place, Start, span_of, told_span
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.shared import Shared
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.historian.options import NS
from shopfloor.services.production import Production
from shopfloor.services.production.kpi import Kpis, kpis
from shopfloor.services.production.losses import loss_tree
from shopfloor.services.production.performance import Performance
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class LossView(BaseModel):
    """A part of the planned time, in seconds; `of` is the factor that it lowers. An empty reason: none told yet."""

    kind: str
    of: str
    seconds: float
    reasons: dict[str, float]


class TimesView(BaseModel):
    """Time elements of ISO 22400-2 in seconds."""

    pot: float
    pbt: float
    apt: float
    aust: float
    aupt: float
    adet: float
    aubt: float
    unknown: float
    closed: float


class CountsView(BaseModel):
    """Produced, good, scrap and rework quantity; `planned_run` is PRI·PQ in seconds."""

    pq: float
    gq: float
    sq: float
    rq: float
    planned_run: float


class PerformanceView(BaseModel):
    """A machine or a line."""

    path: str
    title: str
    doing: str
    kpis: Kpis
    times: TimesView
    counts: CountsView
    losses: list[LossView]


class LineView(PerformanceView):
    """A line and its machines."""

    machines: list[PerformanceView]


class SpanView(BaseModel):
    """A shift or a time; `before` and `after` lie in the shifts around it."""

    start: float
    end: float
    shift: str
    day: str
    shift_end: float
    before: float
    after: float | None


class OeeView(SpanView):
    """A time and the lines in it."""

    lines: list[LineView]


def view(part: Performance) -> dict[str, Any]:
    """A machine or a line as the API shows it."""
    time, count = part.times, part.counts
    elements = ("pot", "pbt", "apt", "aust", "aupt", "adet", "aubt", "unknown", "closed")
    return {
        "path": part.path,
        "title": part.title,
        "doing": part.doing,
        "kpis": asdict(kpis(time, count)),
        "times": {name: getattr(time, name) / NS for name in elements},
        "counts": {name: getattr(count, name) for name in ("pq", "gq", "sq", "rq")}
        | {"planned_run": count.planned_run / NS},
        "losses": [
            {"kind": loss.kind, "of": loss.of, "seconds": loss.ns / NS,
             "reasons": {reason: ns / NS for reason, ns in loss.reasons.items()}}
            for loss in loss_tree(time, count, part.reasons)
        ],
    }  # fmt: skip


def router(production: Production) -> APIRouter:
    """`GET production/oee` and `GET production/shift`."""
    shared = Shared()
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/oee", response_model=OeeView)
    def get_oee(place: Place = "", at: At = None, start: Start = None, end: End = None) -> Response:
        """Tell OEE after ISO 22400-2 of every line and machine, with its losses, for a shift or a time of your own."""

        def found() -> dict[str, Any]:
            span = span_of(production, at, start, end)
            each = production.performance(production.making_parts(place), span)
            lines = [view(line) | {"machines": [view(one) for one in parts]} for line, parts in production.lines(each)]
            return told_span(production, span) | {"lines": lines}

        return answer(shared.tell((place, at, start, end, production.store.changes), found))

    @routes.get("/production/shift", response_model=SpanView)
    def get_shift(at: At = None, start: Start = None, end: End = None) -> Response:
        """Tell when a shift, or a time of your own, begins and ends, and which shifts are around it."""
        return answer(told_span(production, span_of(production, at, start, end)))

    return routes
