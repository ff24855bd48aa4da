"""Downtime: records of stops, their reasons, and the journal of who said what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.production.words import At, End, Place, Signed, Start, signed, span_of
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.production import Production, Stop
from shopfloor.services.security.rights import Right
from starlette.responses import Response

Number = Annotated[int, Path(ge=0, lt=1 << 63)]


class StopView(BaseModel):
    """A downtime record; `end` null: it is still so. `suggested` are reasons, the likeliest first."""

    id: int
    asset: str
    asset_title: str
    start: float
    end: float | None
    kind: str
    reason: str
    comment: str
    by: str
    code: str
    parted: bool
    suggested: list[str]


class DowntimeView(BaseModel):
    """Stops of a time, the newest first; `first_right` of `told` reasons were the first one suggested."""

    start: float
    end: float
    stops: list[StopView]
    reasons: dict[str, dict[str, list[str]]]
    told: int
    first_right: int


class NoteView(BaseModel):
    """A line of the journal."""

    time: float
    by: str
    what: str
    subject: str
    sentence: str


class Told(Signed):
    """Why a machine stood."""

    reason: str = Field(max_length=200, description="group/reason of the plant file; empty takes it back.")
    comment: str | None = Field(None, max_length=1_000)


class Split(Signed):
    """Where to split a record."""

    time: float = Field(description="Epoch ms, within the stop.")


class Merge(Signed):
    """With which record to merge."""

    other: int = Field(ge=0, lt=1 << 63, description="Number of the other stop of the same machine.")


def view(production: Production, stop: Stop) -> dict[str, Any]:
    """A record as the API shows it."""
    machine = production.machines.get(stop.asset)
    return {
        "id": stop.id, "asset": stop.asset, "asset_title": machine.asset.title if machine else stop.asset,
        "start": to_ms(stop.start), "end": None if stop.end is None else to_ms(stop.end), "kind": stop.kind,
        "reason": stop.reason, "comment": stop.comment, "by": stop.by, "code": stop.code, "parted": stop.parted,
        "suggested": [] if stop.reason else production.downtime.suggestions(stop),
    }  # fmt: skip


def router(production: Production) -> APIRouter:
    """`GET production/downtime`, `production/journal`, and what is done with a stop."""
    routes = APIRouter(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/downtime", response_model=DowntimeView)
    def get_downtime(place: Place = "", at: At = None, start: Start = None, end: End = None) -> Response:
        """List the stops of a shift or a time of your own, the newest first."""
        span = span_of(production, at, start, end)
        mine = set(production.under(place))
        stops = [stop for stop in production.store.stops(span.start, span.end) if stop.asset in mine]
        types = {production.machines[path].asset.type: production.machines[path].production.reasons for path in mine}
        places = production.store.places()
        return answer({
            "start": to_ms(span.start), "end": to_ms(span.end), "stops": [view(production, stop) for stop in stops],
            "reasons": types, "told": len(places), "first_right": places.count(1),
        })  # fmt: skip

    @routes.post(
        "/production/downtime/{number}/reason",
        dependencies=[needs(Right.DOWNTIME)],
        response_model=StopView,
        responses=NO_JSON,
    )
    def tell(request: Request, number: Number, told: Told) -> Response:
        """Say why a machine stood."""
        by = signed(request, told.by)
        return answer(view(production, production.downtime.tell(number, by, told.reason, told.comment)))

    @routes.post(
        "/production/downtime/{number}/split",
        dependencies=[needs(Right.DOWNTIME)],
        response_model=list[StopView],
        responses=NO_JSON,
    )
    def split(request: Request, number: Number, cut: Split) -> Response:
        """Make two records of one, where it had two reasons."""
        parts = production.downtime.split(number, signed(request, cut.by), to_ns(cut.time))
        return answer([view(production, stop) for stop in parts])

    @routes.post(
        "/production/downtime/{number}/merge",
        dependencies=[needs(Right.DOWNTIME)],
        response_model=StopView,
        responses=NO_JSON,
    )
    def merge(request: Request, number: Number, both: Merge) -> Response:
        """Make one record of two that follow each other."""
        return answer(view(production, production.downtime.merge(number, both.other, signed(request, both.by))))

    @routes.get("/production/journal", response_model=list[NoteView])
    def get_journal(
        start: Start = None, end: End = None, limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000
    ) -> Response:
        """List who changed which record, the newest first."""
        first, last = time_range(start, end, production.clock)
        notes = production.store.notes(first, last + 1, limit)
        return answer([
            {"time": to_ms(note.time), "by": note.by, "what": note.what, "subject": note.subject,
             "sentence": note.sentence} for note in notes
        ])  # fmt: skip

    return routes
