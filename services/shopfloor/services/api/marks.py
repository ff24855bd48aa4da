"""Marks: people say of single predictions that they were right or wrong, and what was true."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.history import time_range
from shopfloor.services.api.life import NAME_LENGTH
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.production.words import Signed, signed
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock, to_ms, to_ns
from shopfloor.services.registry import Card, Registry
from shopfloor.services.registry.marking import Word, mark, take_back
from shopfloor.services.registry.marks import Mark
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_WEEK_MS = 7 * 86_400_000


class MarkView(BaseModel):
    """A word on a prediction: `value` within `low` and `high` was said, the truth is within the other two.

    `true_high` null: it was at least `true_low`. `truth` is its class by name, of a model of classes. `back` null: the
    mark stands.
    """

    id: int
    name: str
    number: int
    asset: str
    part: str
    time: float
    value: float | None
    low: float | None
    high: float | None
    unit: str
    right: bool
    true_low: float
    true_high: float | None
    truth: str
    by: str
    note: str
    marked: float
    back_by: str
    back: float | None


class MarkPost(Signed):
    """The prediction of a model on an asset at a `time` (epoch ms), and what is said of it.

    The truth is a number within [low, high], at least `low` without `high`; a class by its name as `truth`; 1 or 0
    whether it was so. Without any, what is right lies where the prediction said.
    """

    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    asset: str = Field(min_length=1, max_length=600)
    time: float = Field(gt=0, lt=9e12)
    right: bool
    low: float | None = None
    high: float | None = None
    truth: str = Field("", max_length=200)
    note: str = Field("", max_length=1_000)


def view(registry: Registry, one: Mark) -> dict[str, Any]:
    """A mark as the API shows it."""
    card = registry.state.version(one.name, 1).card
    return {
        "id": one.id, "name": one.name, "number": one.number, "asset": one.asset, "part": one.part,
        "time": to_ms(one.window_end), "value": one.value, "low": one.low, "high": one.high, "unit": card.unit,
        "right": one.is_right, "true_low": one.true_low,
        "true_high": None if math.isinf(one.true_high) else one.true_high, "truth": _class(card, one.true_low),
        "by": one.by, "note": one.note, "marked": to_ms(one.time), "back_by": one.back_by,
        "back": None if one.back is None else to_ms(one.back),
    }  # fmt: skip


def _class(card: Card, value: float) -> str:
    return card.classes[int(value)] if card.kind == "classes" and 0 <= value < len(card.classes) else ""


def router(registry: Registry, catalog: Catalog, clock: Clock) -> APIRouter:
    """`marks`, and the step that takes one back."""
    routes = Routes(tags=["registry"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/marks", response_model=list[MarkView])
    def get_marks(
        *,
        asset: Annotated[str | None, Query(max_length=600, description="Asset path; absent: all.")] = None,
        name: Annotated[str | None, Query(max_length=NAME_LENGTH, description="Of this model; absent: all.")] = None,
        start: Annotated[float | None, Query(description="Epoch ms; by default a week before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
        gone: Annotated[bool, Query(description="Those that were taken back too.")] = False,
    ) -> Response:
        """List what people said of the predictions of a time, the newest first."""
        last = to_ms(clock()) + 1_000 if end is None else end
        span = time_range(last - _WEEK_MS if start is None else start, last, clock)
        return answer([view(registry, one) for one in registry.scores.marks.between(*span, asset, name, gone=gone)])

    @routes.post("/marks", dependencies=[needs(Right.LABEL)], response_model=MarkView, responses=NO_JSON)
    def post_mark(request: Request, said: MarkPost) -> Response:
        """Say whether a prediction was right, and what was true: it becomes a label that scores use."""
        asset = str(catalog.asset(said.asset).path)
        word = Word(said.right, signed(request, said.by), said.low, said.high, said.truth, said.note)
        return _told(request, mark(registry, said.name, asset, to_ns(said.time), word))

    @routes.post(
        "/marks/{number}/take-back", dependencies=[needs(Right.LABEL)], response_model=MarkView, responses=NO_JSON
    )
    def post_back(request: Request, number: Annotated[int, Path(ge=1, lt=1 << 63)], who: Signed) -> Response:
        """Take a mark back: what machines told of the window holds again."""
        before = registry.scores.marks.find(number)
        return _told(request, take_back(registry, number, signed(request, who.by)), before)

    def _told(request: Request, one: Mark, before: Mark | None = None) -> Response:
        told = view(registry, one)
        changed(request, view(registry, before) if before else None, told)
        return answer(told)

    return routes
