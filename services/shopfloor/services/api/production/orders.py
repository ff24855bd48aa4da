"""Orders: planned, started, stopped and completed, with what each has made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.history import time_limits
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.production.words import Commented, Signed, signed
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.production import Machine, Production
from shopfloor.services.production.energy import curve
from shopfloor.services.production.genealogy import lots_between, summaries
from shopfloor.services.production.order import Order
from shopfloor.services.security.rights import Right
from starlette.responses import Response

Number = Annotated[str, Path(max_length=100)]
Start = Annotated[float | None, Query(description="Epoch ms; by default all orders are told.")]
End = Annotated[float | None, Query(description="Epoch ms, exclusive.")]


class RunView(BaseModel):
    """When an order ran; `end` null: it still does."""

    start: float
    end: float | None


class OrderView(BaseModel):
    """An order with what was made in its runs."""

    number: str
    item: str
    place: str
    quantity: int
    lots: list[str]
    state: Literal["planned", "running", "stopped", "completed"]
    created: float
    by: str
    comment: str
    runs: list[RunView]
    made: float
    good: float
    scrap: float


class MachineOfOrder(BaseModel):
    """What a machine gave to an order: lots that were on it, and its parameters over the runs."""

    asset: str
    title: str
    lots: list[str]
    kwh: float | None
    parameters: list[dict[str, Any]]


class OrderDetail(OrderView):
    """An order with its machines; `kwh` is the energy of its runs, where machines count it, and per good part."""

    kwh: float | None
    per_good: float | None
    machines: list[MachineOfOrder]


class NewOrder(Signed):
    """An order to plan."""

    number: str = Field(min_length=1, max_length=100, pattern=r"^[^/\s][^/]*$")
    item: str = Field("", max_length=200, description="What is to be made.")
    place: str = Field(max_length=600, description="Path of a machine, or of a part of the plant.")
    quantity: int = Field(ge=1, le=1_000_000_000)
    lots: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field([], max_length=100)
    comment: str = Field("", max_length=1_000)


def view(production: Production, order: Order) -> dict[str, Any]:
    """An order as the API shows it."""
    runs = production.orders.runs(order.number)
    count = production.orders.counts(order, runs)
    return {
        "number": order.number, "item": order.item, "place": order.place, "quantity": order.quantity,
        "lots": list(order.lots), "state": order.state.value, "created": to_ms(order.created), "by": order.by,
        "comment": order.comment,
        "runs": [{"start": to_ms(run.start), "end": None if run.end is None else to_ms(run.end)} for run in runs],
        "made": count.pq, "good": count.gq, "scrap": count.sq,
    }  # fmt: skip


def detail(production: Production, order: Order) -> dict[str, Any]:
    """An order with what each machine gave to it."""
    runs = [
        (run.start, production.clock() if run.end is None else run.end) for run in production.orders.runs(order.number)
    ]
    machines = [_given(production, machine, runs) for machine in production.orders.machines(order) if runs]
    known = [one["kwh"] for one in machines if one["kwh"] is not None]
    said, kwh = view(production, order), sum(known) if known else None
    per_good = kwh / said["good"] if kwh is not None and said["good"] > 0 else None
    return said | {"kwh": kwh, "per_good": per_good, "machines": machines}


def _given(production: Production, machine: Machine, runs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """What a machine gave to an order in its runs (UTC ns)."""
    reader = production.reader
    lots = dict.fromkeys(lot for run in runs for lot in lots_between(reader, machine, *run))
    kwh = [curve(reader, machine, *run).between(*run) for run in runs] if machine.production.energy else None
    return {
        "asset": machine.path, "title": machine.asset.title, "lots": list(lots),
        "kwh": None if kwh is None else sum(kwh), "parameters": summaries(reader, machine, runs[0][0], runs[-1][1]),
    }  # fmt: skip


def router(production: Production) -> APIRouter:
    """`production/orders` and the steps of an order."""
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/production/orders", response_model=list[OrderView])
    def get_orders(start: Start = None, end: End = None) -> Response:
        """List the orders, the newest first; of a time those that ran or were planned in it."""
        time_limits(start, end)
        first, last = 0 if start is None else to_ns(start), 1 << 62 if end is None else to_ns(end)
        return answer([view(production, order) for order in production.orders.all(first, last)])

    @routes.get("/production/orders/{number}", response_model=OrderDetail)
    def get_order(number: Number) -> Response:
        """Tell an order with its machines, lots, parameters and energy."""
        return answer(detail(production, production.orders.order(number)))

    @routes.post("/production/orders", dependencies=[needs(Right.ORDERS)], response_model=OrderView, responses=NO_JSON)
    def create(request: Request, new: NewOrder) -> Response:
        """Plan an order."""
        order = Order(
            new.number,
            new.item,
            new.place.strip("/"),
            new.quantity,
            tuple(new.lots),
            by=signed(request, new.by),
            comment=new.comment,
        )
        after = view(production, production.orders.create(order))
        changed(request, None, after)
        return answer(after)

    @routes.post(
        "/production/orders/{number}/{step}",
        dependencies=[needs(Right.ORDERS)],
        response_model=OrderView,
        responses=NO_JSON,
    )
    def take(request: Request, number: Number, step: Literal["start", "stop", "complete"], who: Commented) -> Response:
        """Start, stop or complete an order."""
        before = view(production, production.orders.order(number))
        after = view(production, production.orders.step(number, step, signed(request, who.by), who.comment))
        changed(request, before, after)
        return answer(after)

    return routes
