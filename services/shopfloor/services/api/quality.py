"""Quality: the control charts of the plant, their points and limits, the rules that they break, and capability."""

from __future__ import annotations

import difflib
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.catalog import Unknown
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.quality import Chart, Charts
from shopfloor.services.quality.views import detail, head, row
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_WEEK_MS = 7 * 86_400_000.0


class Spark(BaseModel):
    """The last points in columns."""

    value: list[float | None]
    lower: list[float | None]
    upper: list[float | None]
    out: list[bool]


class ChartHead(BaseModel):
    """What is declared of a chart."""

    model_config = ConfigDict(extra="allow")

    name: str
    kind: str
    title: str
    asset: str
    asset_title: str
    tag: str
    unit: str
    decimals: int
    baseline: int
    alarm: bool
    advice: str
    rules: list[str]
    spec: dict[str, float | None] | None


class ChartRow(ChartHead):
    """A chart in the list. `broken` names the rules that its newest point breaks."""

    state: Literal["waiting", "learning", "in-control", "out"]
    learned: int
    time: float | None
    value: float | None
    broken: list[str]
    spark: Spark
    cpk: float | None


class IndexView(BaseModel):
    """A capability index with its 95 % interval."""

    value: float
    low: float
    high: float


class CapabilityView(BaseModel):
    """Capability within the range; `normal` is false where the values contradict a normal distribution."""

    n: int
    mean: float
    sigma_within: float | None
    sigma_overall: float | None
    cp: IndexView | None
    cpk: IndexView | None
    pp: IndexView | None
    ppk: IndexView | None
    p_value: float | None
    normal: bool | None
    outside: float


class ChartView(ChartHead):
    """A chart over a time range, in columns of equal length; `more` older points were left off."""

    limits: dict[str, float | None] | None
    time: list[float]
    measured: list[float | None]
    value: list[float | None]
    second: list[float | None]
    n: list[float | None]
    z: list[float | None]
    centre: list[float | None]
    lower: list[float | None]
    upper: list[float | None]
    spread: list[float | None]
    spread_centre: list[float | None]
    spread_lower: list[float | None]
    spread_upper: list[float | None]
    quality: list[int]
    broken: list[list[str]]
    more: int
    run_length: dict[str, float] | None
    left_out: int
    capability: CapabilityView | None
    histogram: dict[str, list[float]] | None


def router(charts: Charts, clock: Clock) -> APIRouter:
    """`GET quality` and `GET quality/{chart}`."""
    routes = APIRouter(tags=["quality"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/quality", response_model=list[ChartRow])
    def get_charts(asset: Annotated[str | None, Query(max_length=600)] = None) -> Response:
        """List the control charts with their state, those out of control first."""
        rows = [row(chart) for chart in charts.charts.values() if asset in {None, str(chart.asset.path)}]
        return answer(sorted(rows, key=lambda one: one["state"] != "out"))

    @routes.get("/quality/{chart}", response_model=ChartView)
    def get_chart(
        chart: Annotated[str, Path(max_length=100)],
        asset: Annotated[str, Query(max_length=600)],
        start: Annotated[float | None, Query(description="Epoch ms; by default a week before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
    ) -> Response:
        """Give a chart of an asset over a time range: points, limits, broken rules, capability, histogram."""
        found = _find(charts, asset, chart)
        last = to_ms(clock()) if end is None else end
        first, until = time_range(last - _WEEK_MS if start is None else start, last, clock)
        if found.loaded and first < found.since:
            return answer(head(found) | detail(charts.past(found, first, until), first, until))
        with found.lock:
            return answer(head(found) | detail(found.process, first, until))

    return routes


def _find(charts: Charts, asset: str, name: str) -> Chart:
    if (asset, name) in charts.charts:
        return charts.charts[asset, name]
    names = [one for of, one in charts.charts if of == asset]
    word, known = (name, names) if names else (asset, [of for of, _ in charts.charts])
    close = difflib.get_close_matches(word[:200], known, 1, 0.6)
    hint = f"did you mean {close[0]!r}?" if close else "ask /api/v1/quality for those that are."
    raise Unknown(f"There is no chart {name[:100]!r} of {asset[:200]!r}: {hint}")
