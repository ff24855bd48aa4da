"""Maintenance: what must be seen to within the shift, the day and the week, and how often predictions came true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.services.api.needs import needs
from shopfloor.services.api.predictions import PredictionView
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.clock import to_ms
from shopfloor.services.historian.options import DAY, NS
from shopfloor.services.maintenance import Maintenance, WorkState
from shopfloor.services.maintenance.maintenance import Past
from shopfloor.services.maintenance.outlook import Outlook
from shopfloor.services.maintenance.record import Tally, together
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_TREND: Final = 12 * 3_600 * NS
_POINTS: Final = 60


class RiskView(BaseModel):
    """The chance that it must be seen to by `end` (epoch ms) lies within [at_least, at_most]; null: nobody says."""

    end: float
    at_least: float | None
    at_most: float | None


class LeftView(BaseModel):
    """Remaining life by the clock, in ms from now; `high` null: no end."""

    low: float
    value: float
    high: float | None


class TrendView(BaseModel):
    """How the prediction went in the last twelve hours, in columns."""

    time: list[float]
    value: list[float | None]


class OutlookView(BaseModel):
    """A prediction with what follows. `kind`: a remaining `life`, the `chance` of an event soon, or a `condition`.

    `running` is the share of the last eight hours that the machine ran, null where nobody knows; `part` what wears
    (tool, anode), `changed` when it was changed last; `orders` the numbers of work orders that are not done.
    """

    asset: str
    title: str
    kind: str
    prediction: PredictionView
    left: LeftView | None
    shift: RiskView
    day: RiskView
    week: RiskView
    running: float | None
    part: str
    changed: float | None
    trend: TrendView
    orders: list[int]


class ShadowView(BaseModel):
    """An asset that a model is only compared on: nothing of it is shown."""

    asset: str
    title: str
    name: str
    model_title: str
    number: int


class MaintenanceView(BaseModel):
    """Rows by urgency; assets of which nothing is said are in `in_shadow` or `silent`, with `sentence` of the brain."""

    time: float
    rows: list[OutlookView]
    in_shadow: list[ShadowView]
    silent: list[str]
    sentence: str


class TallyView(BaseModel):
    """Windows with a truth, `exact` ones, those of them `inside` the interval; events and alarms that people saw."""

    windows: int
    exact: int
    inside: int
    error: float | None
    events: int
    caught: int
    alarms: int
    false: int


class AssetTally(TallyView):
    """Of one asset."""

    asset: str
    title: str


class PointView(BaseModel):
    """What was predicted, and what came."""

    asset: str
    time: float
    value: float
    low: float | None
    high: float | None
    truth: float


class PastView(BaseModel):
    """What a version said beside what came; it alarms at `above` or more, at `below` or less (null: never)."""

    name: str
    title: str
    target: str
    kind: str
    unit: str
    number: int
    nominal: float
    above: float | None
    below: float | None
    total: TallyView
    assets: list[AssetTally]
    points: list[PointView]


def router(maintenance: Maintenance) -> APIRouter:
    """`GET maintenance` and `GET maintenance/record`."""
    routes = APIRouter(tags=["maintenance"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/maintenance", response_model=MaintenanceView)
    def get_maintenance() -> Response:
        """Rank what must be seen to by its risk within this shift, a day and a week."""
        return answer(told(maintenance))

    @routes.get("/maintenance/record", response_model=list[PastView])
    def get_record(days: Annotated[int, Query(ge=1, le=90, description="So many days back.")] = 30) -> Response:
        """Tell hits and misses: what each model said of the newest windows whose truth is known, beside the truth."""
        found = maintenance.past(maintenance.clock() - days * DAY)
        return answer([_past(maintenance, one) for one in found])

    return routes


def told(maintenance: Maintenance) -> dict[str, Any]:
    """The whole outlook as the API shows it."""
    rows = maintenance.outlook()
    shadows = [
        {"asset": asset, "title": _title(maintenance, asset), "name": card.name, "model_title": card.title,
         "number": number}
        for asset, card, number in maintenance.in_shadow()
    ]  # fmt: skip
    seen = {row.said["asset"] for row in rows} | {one["asset"] for one in shadows}
    changed, shares = maintenance.changes.last(maintenance.clock()), maintenance.shares()
    orders: dict[str, list[int]] = {}
    for order in maintenance.orders.all((WorkState.OPEN, WorkState.IN_WORK)):
        orders.setdefault(order.asset, []).append(order.number)
    return {
        "time": to_ms(maintenance.clock()),
        "rows": [_row(maintenance, row, changed, shares, orders) for row in rows],
        "in_shadow": shadows,
        "silent": [asset for asset in maintenance.changes.parts if asset not in seen],
        "sentence": maintenance.brain.status()["sentence"],
    }


def _row(
    maintenance: Maintenance, row: Outlook, changed: Mapping[str, int], shares: Mapping[str, float],
    orders: Mapping[str, list[int]],
) -> dict[str, Any]:  # fmt: skip
    asset = str(row.said["asset"])
    part = maintenance.changes.parts.get(asset)
    risks = [{"end": to_ms(one.end), "at_least": one.at_least, "at_most": one.at_most} for one in row.risks]
    left = None
    if row.left:
        left = {key: None if ns is None else ns / 1e6 for key, ns in asdict(row.left).items()}
    return {
        "asset": asset, "title": _title(maintenance, asset), "kind": row.kind, "prediction": row.said, "left": left,
        **dict(zip(("shift", "day", "week"), risks, strict=True)), "running": shares.get(asset),
        "part": part.part if part else "", "changed": to_ms(changed[asset]) if asset in changed else None,
        "trend": _trend(maintenance, asset, str(row.said["target"])), "orders": orders.get(asset, []),
    }  # fmt: skip


def _trend(maintenance: Maintenance, asset: str, target: str) -> dict[str, Any]:
    now = maintenance.clock()
    past = maintenance.brain.history(asset, target, now - _TREND, now + 1)
    step = max(1, -(-len(past["time"]) // _POINTS))
    return {key: list(past[key])[::-1][::step][::-1] for key in ("time", "value")}


def _title(maintenance: Maintenance, asset: str) -> str:
    known = maintenance.catalog.assets.get(asset)
    return known.title if known else asset.rpartition("/")[2]


def _past(maintenance: Maintenance, one: Past) -> dict[str, Any]:
    card, rows = one.card, one.points
    return {
        "name": card.name, "title": card.title, "target": card.target,
        "kind": "life" if card.kind == "regression" else "event", "unit": card.unit, "number": one.number,
        "nominal": card.coverage, "above": one.level.above, "below": one.level.below,
        "total": _tally(together(one.assets)),
        "assets": [
            {"asset": asset, "title": _title(maintenance, asset), **_tally(tally)}
            for asset, tally in sorted(one.assets.items())
        ],
        "points": [
            {"asset": str(rows.asset[i]), "time": to_ms(int(rows.window_end[i])), "value": float(rows.value[i]),
             "low": float(rows.low[i]), "high": float(rows.high[i]), "truth": float(rows.truth_low[i])}
            for i in range(len(rows))
        ],
    }  # fmt: skip


def _tally(tally: Tally) -> dict[str, Any]:
    return asdict(tally)
