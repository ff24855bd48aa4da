"""Genealogy: back from a part to its lot and order, forward from a lot to its parts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.production.words import End, Place
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.clock import to_ms
from shopfloor.services.production import Production
from shopfloor.services.production.genealogy import Part, biography, of_lot, part, parts_of
from shopfloor.services.production.machine import Machine
from shopfloor.services.security.rights import Right
from shopfloor.services.thinking import Thinking
from starlette.responses import Response

_WEEK_MS = 7 * 86_400_000.0
Start = Annotated[float | None, Query(description="Epoch ms; by default a week before the end.")]


class PartView(BaseModel):
    """A part; `good` is null where it was not measured."""

    asset: str
    asset_title: str
    number: int
    start: float
    end: float
    lot: str
    order: str
    result: float | None
    good: bool | None


class BiographyView(PartView):
    """A part with its time in states (s), its parameters, and what was predicted within five minutes after it."""

    item: str
    result_tag: str = Field(description="The tag that the result is a value of.")
    states: dict[str, float]
    parameters: list[dict[str, Any]]
    predictions: list[dict[str, Any]]


def view(production: Production, one: Part) -> dict[str, Any]:
    """A part as the API shows it."""
    order = production.orders.at(one.asset, one.start)
    title = production.machines[one.asset].asset.title
    times = {"start": to_ms(one.start), "end": to_ms(one.end)}
    return asdict(one) | times | {"asset_title": title, "order": order.number if order else ""}


def predicted(brain: Thinking, asset: str, start: int, end: int) -> list[dict[str, Any]]:
    """What each model said first in [start, end)."""
    told = []
    for target in dict.fromkeys(str(one["target"]) for one in brain.predictions(asset)):
        past = brain.history(asset, target, start, end)
        if past["time"]:
            told.append({"target": target, **{name: past[name][0] for name in ("time", "value", "low", "high")}})
    return told


def _result_tag(machine: Machine) -> str:
    return machine.tag(machine.production.result.tag) if machine.production.result else ""


def router(production: Production, brain: Thinking) -> APIRouter:
    """`GET production/genealogy/part`, `…/parts` and `…/lot`."""
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    def span(start: float | None, end: float | None) -> tuple[int, int]:
        last = to_ms(production.clock()) if end is None else end
        return time_range(last - _WEEK_MS if start is None else start, last, production.clock)

    @routes.get("/production/genealogy/part", response_model=BiographyView)
    def get_part(
        asset: Annotated[str, Query(max_length=600)], number: Annotated[int, Query(ge=0, lt=1 << 53)],
        start: Start = None, end: End = None,
    ) -> Response:  # fmt: skip
        """Tell the newest part of a number on a machine: lot, order, states, parameters, predictions, result."""
        (path, *_) = production.under(asset)
        machine = production.machines[path]
        one = part(production.reader, machine, number, *span(start, end))
        order = production.orders.at(path, one.start)
        found = biography(production.reader, machine, one, order, lambda *asked: predicted(brain, *asked))
        more = {
            "item": order.item if order else "",
            "result_tag": _result_tag(machine),
            "states": found.states,
            "parameters": found.parameters,
            "predictions": found.predictions,
        }
        return answer(view(production, one) | more)

    @routes.get("/production/genealogy/parts", response_model=list[PartView])
    def get_parts(
        place: Place, start: Start = None, end: End = None, limit: Annotated[int, Query(ge=1, le=5_000)] = 200,
        number: Annotated[int | None, Query(ge=0, lt=1 << 53, description="Only parts of this number.")] = None,
    ) -> Response:  # fmt: skip
        """List the newest parts at a place; with a number those of it, on whichever machine."""
        first, last = span(start, end)
        machines = [production.machines[path] for path in production.under(place)]
        found = [one for machine in machines for one in parts_of(production.reader, machine, first, last, number)]
        return answer([view(production, one) for one in sorted(found, key=lambda one: -one.start)[:limit]])

    @routes.get("/production/genealogy/lot", response_model=list[PartView])
    def get_lot(
        lot: Annotated[str, Query(min_length=1, max_length=100)], start: Start = None, end: End = None
    ) -> Response:
        """List the parts that were made of a lot, on all machines; 5,000 at most."""
        machines = list(production.machines.values())
        return answer([view(production, one) for one in of_lot(production.reader, machines, lot, *span(start, end))])

    return routes
