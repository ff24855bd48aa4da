"""Scrap and rework that people enter."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.production.words import At, Commented, End, Place, Signed, Start, signed, span_of
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.production import Entry, Production, ProductionRefused
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class EntryView(BaseModel):
    """Scrap or rework that somebody counted."""

    id: int
    asset: str
    time: float
    kind: Literal["scrap", "rework"]
    quantity: int
    reason: str
    by: str
    comment: str
    order: str


class Counted(Signed):
    """Scrap or rework to enter."""

    asset: str = Field(max_length=600, description="Path of the machine.")
    kind: Literal["scrap", "rework"] = "scrap"
    quantity: int = Field(1, ge=1, le=1_000_000)
    reason: str = Field(max_length=100, description="One of `scrap_reasons` of the plant file.")
    comment: str = Field("", max_length=1_000)
    order: str = Field("", max_length=100)
    time: float | None = Field(None, description="Epoch ms; by default now.")


def view(entry: Entry) -> dict[str, Any]:
    """An entry as the API shows it."""
    return asdict(entry) | {"time": to_ms(entry.time)}


def router(production: Production) -> APIRouter:
    """`GET` and `POST production/scrap`, and taking one back."""
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/scrap", response_model=list[EntryView])
    def get_scrap(place: Place = "", at: At = None, start: Start = None, end: End = None) -> Response:
        """List the entries of a shift or a time of your own, the newest first."""
        span, mine = span_of(production, at, start, end), set(production.under(place))
        return answer([view(one) for one in production.store.entries(span.start, span.end + 1) if one.asset in mine])

    @routes.get("/production/scrap/reasons", response_model=list[str])
    def get_reasons(asset: Place) -> Response:
        """List the reasons that the plant file knows for scrap and rework of a machine."""
        (machine, *_) = production.under(asset)
        return answer(list(production.machines[machine].production.scrap_reasons))

    @routes.post("/production/scrap", dependencies=[needs(Right.DOWNTIME)], response_model=EntryView, responses=NO_JSON)
    def add(request: Request, counted: Counted) -> Response:
        """Enter scrap or rework with its reason."""
        now = production.clock()
        moment = now if counted.time is None else to_ns(counted.time)
        if not 0 < moment <= now:
            raise ProductionRefused("Scrap is entered for a moment that was: send epoch milliseconds, or no time.")
        given = counted.model_dump(include={"asset", "kind", "quantity", "reason", "comment", "order"})
        kept = view(production.downtime.add(Entry(0, time=moment, by=signed(request, counted.by), **given)))
        changed(request, None, kept)
        return answer(kept)

    @routes.post(
        "/production/scrap/{number}/take-back", dependencies=[needs(Right.DOWNTIME)], status_code=204, responses=NO_JSON
    )
    def take_back(request: Request, number: Annotated[int, Path(ge=0, lt=1 << 63)], who: Commented) -> Response:
        """Take an entry back; the journal keeps it."""
        changed(request, view(production.downtime.drop(number, signed(request, who.by), who.comment)), None)
        return Response(status_code=204)

    return routes
