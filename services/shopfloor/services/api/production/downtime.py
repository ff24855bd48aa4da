"""Downtime: records of stops, their reasons, and the journal of who said what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.production.words import At, End, Place, Signed, Start, signed, span_of
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.production import Production, Stop
from shopfloor.services.production.suggest import Suggested
from shopfloor.services.security.rights import Right
from starlette.responses import Response

Number = Annotated[int, Path(ge=0, lt=1 << 63)]
Order = Literal["newest", "longest", "open"]


class StopView(BaseModel):
    """A downtime record; `end` null: it is still so. `suggested` are reasons, the likeliest first.

    `shares` says how likely the likely ones are; it is empty while fewer than 20 stops were told.
    """

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
    shares: dict[str, float]


class LearnedView(BaseModel):
    """From how many stops of a type of machine reasons are learned, and how that did: shares of the `judged` newest.

    Each was judged by what had been told before it. `first` and `three`: the reason was the first suggested, or among
    the first three; `usual` and `usual_three`: that of the most frequent reasons. `said`: mean share of the first.
    """

    told: int
    judged: int
    first: float | None
    three: float | None
    usual: float | None
    usual_three: float | None
    said: float | None


class DowntimeView(BaseModel):
    """Stops of a time; `total` are there, of which these are `offset` and those after it.

    `untold` of all have no reason yet. `first_right` of the `told` newest reasons were the first one suggested to
    whoever told them; `learned` says by type how the model of today would have done.
    """

    start: float
    end: float
    total: int
    untold: int
    offset: int
    stops: list[StopView]
    reasons: dict[str, dict[str, list[str]]]
    told: int
    first_right: int
    learned: dict[str, LearnedView]


class Wanted(BaseModel):
    """Which stops are listed, and in which order."""

    untold: bool = Field(False, description="Only those without a reason.")
    kind: str = Field("", max_length=40, description="Only this kind of time, as `down`.")
    order: Order = Field("newest", description="`open`: those without a reason first, the longest of them first.")
    offset: int = Field(0, ge=0)
    limit: int = Field(200, ge=1, le=1_000)


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


def views(production: Production, stops: Sequence[Stop]) -> list[dict[str, Any]]:
    """Records as the API shows them."""
    asked = [stop for stop in stops if not stop.reason]
    suggested = {stop.id: one for stop, one in zip(asked, production.suggestions.of(asked), strict=True)}
    return [view(production, stop, suggested.get(stop.id)) for stop in stops]


def view(production: Production, stop: Stop, suggested: Suggested | None = None) -> dict[str, Any]:
    """A record as the API shows it, with what is suggested for it."""
    machine = production.machines.get(stop.asset)
    return {
        "id": stop.id, "asset": stop.asset, "asset_title": machine.asset.title if machine else stop.asset,
        "start": to_ms(stop.start), "end": None if stop.end is None else to_ms(stop.end), "kind": stop.kind,
        "reason": stop.reason, "comment": stop.comment, "by": stop.by, "code": stop.code, "parted": stop.parted,
        "suggested": suggested.reasons if suggested else [], "shares": suggested.shares if suggested else {},
    }  # fmt: skip


def learned(production: Production, types: Collection[str]) -> dict[str, Any]:
    """How the models of these types do."""
    none = dict.fromkeys(("first", "three", "usual", "usual_three", "said")) | {"judged": 0}
    return {
        name: {"told": told} | (asdict(score) if score else none)
        for name, (told, score) in production.suggestions.scores(types).items()
    }


def ordered(production: Production, stops: Iterable[Stop], order: Order) -> list[Stop]:
    """Stops the newest first, the longest first, or those without a reason first and of them the longest."""
    now = production.clock()

    def place(stop: Stop) -> tuple[int, ...]:
        length = (now if stop.end is None else stop.end) - stop.start
        return (-stop.start,) if order == "newest" else (bool(stop.reason) and order == "open", -length)

    return sorted(stops, key=place)


def _noted(stop: Stop) -> dict[str, Any]:
    """A record as the audit keeps it; times are epoch ms."""
    return asdict(stop) | {"start": to_ms(stop.start), "end": None if stop.end is None else to_ms(stop.end)}


def router(production: Production) -> APIRouter:
    """`GET production/downtime`, `production/journal`, and what is done with a stop."""
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/downtime", response_model=DowntimeView)
    def get_downtime(
        place: Place = "", at: At = None, start: Start = None, end: End = None, *, wanted: Annotated[Wanted, Query()]
    ) -> Response:
        """List the stops of a shift or a time of your own."""
        span = span_of(production, at, start, end)
        mine = set(production.under(place))
        every = [stop for stop in production.store.stops(span.start, span.end) if stop.asset in mine]
        found = [one for one in every if not (wanted.untold and one.reason) and wanted.kind in {"", one.kind}]
        shown = ordered(production, found, wanted.order)[wanted.offset : wanted.offset + wanted.limit]
        types = {production.machines[path].asset.type: production.machines[path].production.reasons for path in mine}
        places = production.store.places()
        return answer({
            "start": to_ms(span.start), "end": to_ms(span.end), "total": len(found), "offset": wanted.offset,
            "untold": sum(not stop.reason for stop in every), "stops": views(production, shown),
            "reasons": types, "told": len(places), "first_right": places.count(1),
            "learned": learned(production, types),
        })  # fmt: skip

    @routes.post(
        "/production/downtime/{number}/reason",
        dependencies=[needs(Right.DOWNTIME)],
        response_model=StopView,
        responses=NO_JSON,
    )
    def tell(request: Request, number: Number, told: Told) -> Response:
        """Say why a machine stood."""
        before = production.downtime.stop(number)
        after = production.downtime.tell(number, signed(request, told.by), told.reason, told.comment)
        changed(request, _noted(before), _noted(after))
        return answer(views(production, [after])[0])

    @routes.post(
        "/production/downtime/{number}/split",
        dependencies=[needs(Right.DOWNTIME)],
        response_model=list[StopView],
        responses=NO_JSON,
    )
    def split(request: Request, number: Number, cut: Split) -> Response:
        """Make two records of one, where it had two reasons."""
        before = production.downtime.stop(number)
        parts = production.downtime.split(number, signed(request, cut.by), to_ns(cut.time))
        changed(request, _noted(before), [_noted(stop) for stop in parts])
        return answer(views(production, parts))

    @routes.post(
        "/production/downtime/{number}/merge",
        dependencies=[needs(Right.DOWNTIME)],
        response_model=StopView,
        responses=NO_JSON,
    )
    def merge(request: Request, number: Number, both: Merge) -> Response:
        """Make one record of two that follow each other."""
        before = [production.downtime.stop(one) for one in (number, both.other)]
        after = production.downtime.merge(number, both.other, signed(request, both.by))
        changed(request, [_noted(stop) for stop in before], _noted(after))
        return answer(views(production, [after])[0])

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
