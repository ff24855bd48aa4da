"""Work orders: made from a prediction or by hand, started, done with what was found, or taken back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.production.words import Signed, signed
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.maintenance import Found, Maintenance, MaintenanceUnknown, WorkOrder, WorkState
from shopfloor.services.maintenance.closing import close
from shopfloor.services.security.rights import Right
from starlette.responses import Response

COLUMNS: Final = (
    "number", "state", "asset", "what", "who", "due", "created", "by", "changed", "changed_by", "found", "note",
    "target", "value", "low", "high", "unit", "sentence",
)  # fmt: skip
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv; charset=utf-8": {"schema": {"type": "string"}}}, "description": ", ".join(COLUMNS)}
}
Number = Annotated[int, Path(ge=1, lt=1 << 63)]
Wanted = Annotated[
    Literal["open", "in-work", "done", "taken-back", "now", "all"],
    Query(description="Orders in this state; now: open and in work."),
]
Place = Annotated[str, Query(max_length=600, description="Path of an asset, or of a part of the plant; empty: all.")]


class WorkOrderView(BaseModel):
    """A work order. `why` is the prediction as it stood when the order was made, as in `GET predictions`.

    `found` is what its end said of that prediction, `mark` the number of the mark that it left; `sentence`: why none.
    """

    number: int
    asset: str
    title: str
    what: str
    why: dict[str, Any] | None
    due: float | None
    who: str
    state: Literal["open", "in-work", "done", "taken-back"]
    created: float
    by: str
    changed: float
    changed_by: str
    found: Literal["", "worn", "not-worn", "early"]
    note: str
    mark: int | None
    sentence: str = ""


class NewWorkOrder(Signed):
    """An order; with a `target` the prediction that holds now is frozen into it."""

    asset: str = Field(min_length=1, max_length=600)
    what: str = Field(min_length=1, max_length=500)
    target: str = Field("", max_length=100)
    due: float | None = Field(None, gt=0, lt=9e12, description="Epoch ms; null: whenever there is time.")
    who: str = Field("", max_length=100, description="Who shall do it.")


class End(Signed):
    """The end of the work, with what was found; a note where there is something to say."""

    found: Literal["", "worn", "not-worn", "early"] = ""
    note: str = Field("", max_length=1_000)


class Note(Signed):
    """A step, with a note where there is something to say."""

    note: str = Field("", max_length=1_000)


def router(maintenance: Maintenance) -> APIRouter:
    """`work-orders`, their steps, and all of them as CSV."""
    routes = Routes(tags=["maintenance"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])
    orders = maintenance.orders

    @routes.get("/work-orders", response_model=list[WorkOrderView])
    def get_orders(
        state: Wanted = "now", asset: Place = "", limit: Annotated[int, Query(ge=1, le=10_000)] = 500
    ) -> Response:
        """List work orders, the newest first."""
        return answer([view(maintenance, one) for one in orders.all(_states(state), asset.strip("/"), limit)])

    @routes.get("/work-orders.csv", response_class=Response, responses=_CSV)
    def export(state: Wanted = "all", asset: Place = "") -> Response:
        """Give work orders as CSV, times as ISO 8601 in UTC."""
        text = written(orders.all(_states(state), asset.strip("/"), 100_000))
        told = {"Content-Disposition": 'attachment; filename="work-orders.csv"'}
        return Response(text, headers=told, media_type="text/csv; charset=utf-8")

    @routes.post(
        "/work-orders", dependencies=[needs(Right.WORK_ORDERS)], response_model=WorkOrderView, responses=NO_JSON
    )
    def create(request: Request, new: NewWorkOrder) -> Response:
        """Make a work order."""
        asset = str(maintenance.catalog.asset(new.asset).path)
        why = maintenance.found(asset, new.target) if new.target else None
        if new.target and why is None:
            raise MaintenanceUnknown(
                f"Nothing is predicted of {new.target!r} on {asset} now: leave the target out, or ask GET predictions."
            )
        due = None if new.due is None else to_ns(new.due)
        return _done(request, None, orders.create(asset, new.what, why, due, new.who, signed(request, new.by)))

    @routes.post(
        "/work-orders/{number}/done",
        dependencies=[needs(Right.WORK_ORDERS)],
        response_model=WorkOrderView,
        responses=NO_JSON,
    )
    def end(request: Request, number: Number, said: End) -> Response:
        """End the work: what was found becomes a mark on the prediction that the order was made for."""
        before = orders.order(number)
        order, sentence = close(maintenance, number, signed(request, said.by), Found(said.found), said.note)
        return _done(request, before, order, sentence)

    @routes.post(
        "/work-orders/{number}/{step}",
        dependencies=[needs(Right.WORK_ORDERS)],
        response_model=WorkOrderView,
        responses=NO_JSON,
    )
    def take(request: Request, number: Number, step: Literal["start", "take-back"], said: Note) -> Response:
        """Start the work, or take the order back."""
        before = orders.order(number)
        return _done(request, before, orders.step(number, step, signed(request, said.by), note=said.note))

    def _done(request: Request, before: WorkOrder | None, after: WorkOrder, sentence: str = "") -> Response:
        told = view(maintenance, after) | {"sentence": sentence}
        changed(request, None if before is None else {"state": before.state.value}, {"state": after.state.value})
        return answer(told)

    return routes


def view(maintenance: Maintenance, order: WorkOrder) -> dict[str, Any]:
    """An order as the API shows it."""
    known = maintenance.catalog.assets.get(order.asset)
    return {
        "number": order.number, "asset": order.asset, "title": known.title if known else order.asset,
        "what": order.what, "why": order.why, "due": None if order.due is None else to_ms(order.due),
        "who": order.who, "state": order.state.value, "created": to_ms(order.created), "by": order.by,
        "changed": to_ms(order.changed), "changed_by": order.changed_by, "found": order.found.value,
        "note": order.note, "mark": order.mark,
    }  # fmt: skip


def written(several: list[WorkOrder]) -> str:
    """Orders as CSV, with a byte order mark so that spreadsheets read UTF-8.

    >>> written([]).splitlines()[0][1:20]
    'number,state,asset,'
    """
    text = io.StringIO()
    text.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    rows.writerows([_cell(value) for value in _cells(order)] for order in several)
    return text.getvalue()


def _cells(order: WorkOrder) -> list[Any]:
    why = order.why or {}
    return [
        order.number, order.state.value, order.asset, order.what, order.who, _moment(order.due), _moment(order.created),
        order.by, _moment(order.changed), order.changed_by, order.found.value, order.note,
        *(why.get(key) for key in ("target", "value", "low", "high", "unit", "sentence")),
    ]  # fmt: skip


def _moment(ns: int | None) -> str:
    return "" if ns is None else datetime.fromtimestamp(ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _states(state: str) -> tuple[WorkState, ...]:
    if state == "now":
        return WorkState.OPEN, WorkState.IN_WORK
    return () if state == "all" else (WorkState(state),)
