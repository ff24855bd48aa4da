"""Maintenance: what must be seen to within the hour, the shift, a day and a week, and whether predictions came true."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.services.api.needs import needs
from shopfloor.services.api.predictions import PredictionView
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.clock import to_ms
from shopfloor.services.historian.options import DAY
from shopfloor.services.maintenance import Maintenance, WorkState
from shopfloor.services.maintenance.board import Board, Boards, Row, counts, within
from shopfloor.services.maintenance.maintenance import Past
from shopfloor.services.maintenance.record import Tally, together
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_HORIZONS: Final = ("hour", "shift", "day", "week")


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


class AlsoView(BaseModel):
    """Another prediction of the same asset."""

    target: str
    title: str
    status: str


class CountsView(BaseModel):
    """So many assets in all, to see to now, and likely to be seen to by the end of each time."""

    assets: int
    now: int
    hour: int
    shift: int
    day: int
    week: int


class OutlookView(BaseModel):
    """An asset and its most urgent prediction. `kind`: a remaining `life`, the `chance` of an event, or a `condition`.

    `due` is `now` at the level to act at or with at most 15 minutes left by the clock, `hour` where its end is likely
    within the hour, else empty; `also` what else is predicted of the asset.

    `running` is the share of the last eight hours that the machine ran, null where nobody knows; `part` what wears
    (tool, anode), `changed` when it was changed last; `orders` the numbers of work orders that are not done.
    """

    asset: str
    title: str
    kind: str
    prediction: PredictionView
    left: LeftView | None
    due: Literal["now", "hour", ""]
    hour: RiskView
    shift: RiskView
    day: RiskView
    week: RiskView
    running: float | None
    part: str
    changed: float | None
    trend: TrendView
    also: list[AlsoView]
    orders: list[int]


class ShadowView(BaseModel):
    """An asset that a model is only compared on: nothing of it is shown."""

    asset: str
    title: str
    name: str
    model_title: str
    number: int


class MaintenanceView(BaseModel):
    """The first rows by urgency, and the counts of all.

    Assets of which nothing is said are in `in_shadow` or `silent`, with `sentence` of the brain.
    """

    time: float
    counts: CountsView
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
    routes = Routes(tags=["maintenance"], responses=ERRORS, dependencies=[needs(Right.SEE)])
    boards = Boards(maintenance)

    @routes.get("/maintenance", response_model=MaintenanceView)
    def get_maintenance(
        line: Annotated[str, Query(description="At or below this place; empty: everywhere.")] = "",
        limit: Annotated[int, Query(ge=1, le=1_000, description="So many assets, the most urgent first.")] = 15,
    ) -> Response:
        """Rank assets by the risk within an hour, this shift, a day and a week; computed every 10 s for all."""
        return answer(told(boards, line.strip("/"), limit))

    @routes.get("/maintenance/record", response_model=list[PastView])
    def get_record(days: Annotated[int, Query(ge=1, le=90, description="So many days back.")] = 30) -> Response:
        """Tell hits and misses: what each model said of the newest windows whose truth is known, beside the truth."""
        found = maintenance.past(maintenance.clock() - days * DAY)
        return answer([_past(maintenance, one) for one in found])

    return routes


def told(boards: Boards, place: str, limit: int) -> dict[str, Any]:
    """The outlook at or below a place as the API shows it."""
    maintenance, board = boards.maintenance, boards.now()
    rows = board.below(place)
    orders: dict[str, list[int]] = {}
    for order in maintenance.orders.all((WorkState.OPEN, WorkState.IN_WORK)):
        orders.setdefault(order.asset, []).append(order.number)
    return {
        "time": to_ms(board.time), "counts": counts(rows),
        "rows": [_row(boards, board, row, orders) for row in rows[:limit]],
        "in_shadow": [
            {"asset": asset, "title": _title(maintenance, asset), "name": card.name, "model_title": card.title,
             "number": number}
            for asset, card, number in board.shadows if within(asset, place)
        ],
        "silent": [asset for asset in board.silent if within(asset, place)],
        "sentence": maintenance.brain.status()["sentence"],
    }  # fmt: skip


def _row(boards: Boards, board: Board, row: Row, orders: dict[str, list[int]]) -> dict[str, Any]:
    first, asset = row.first, str(row.first.said["asset"])
    part = boards.maintenance.changes.parts.get(asset)
    risks = [{"end": to_ms(one.end), "at_least": one.at_least, "at_most": one.at_most} for one in first.risks]
    left = None
    if first.left:
        left = {key: None if ns is None else ns / 1e6 for key, ns in asdict(first.left).items()}
    return {
        "asset": asset, "title": _title(boards.maintenance, asset), "kind": first.kind, "due": first.due,
        "prediction": first.said, "left": left, **dict(zip(_HORIZONS, risks, strict=True)),
        "running": board.shares.get(asset), "part": part.part if part else "",
        "changed": to_ms(board.changed[asset]) if asset in board.changed else None, "trend": boards.trend(first.said),
        "orders": orders.get(asset, []),
        "also": [{key: one.said[key] for key in ("target", "title", "status")} for one in row.also],
    }  # fmt: skip


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
