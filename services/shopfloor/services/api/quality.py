"""Quality: the control charts of the plant, their points and limits, the rules that they break, and capability."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.production.words import signed
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.catalog import Unknown
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.quality import Chart, Charts, Listed
from shopfloor.services.quality.kept import Revision, in_force
from shopfloor.services.quality.views import detail, head
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
    """A chart in the list. `broken` names the rules that its newest point breaks.

    `silent`: no subgroup came for twice as long as the longest pause between the last forty.
    """

    state: Literal["waiting", "learning", "in-control", "out"]
    silent: bool
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


class RevisionView(BaseModel):
    """Limits that somebody had made anew of `subgroups` from `start` to `end`; they hold from `since` on.

    `replaced`: a later decision took their place.
    """

    since: float
    centre: float
    sigma: float | None
    subgroups: int
    start: float
    end: float
    by: str
    why: str
    at: float
    replaced: bool


class Anew(BaseModel):
    """Which subgroups the limits are made anew of, who wants that, and why."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")

    by: str = Field(min_length=1, max_length=100, description="Who does it.")
    why: str = Field(min_length=1, max_length=1_000, description="What changed in the process.")
    start: float = Field(description="Epoch ms: the first subgroups of the new phase I.")
    end: float = Field(description="Epoch ms, exclusive.")


class ChartView(ChartHead):
    """A chart over a time range, in columns of equal length; `more` older points were left off."""

    limits: dict[str, float | None] | None
    revisions: list[RevisionView]
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


def router(charts: Charts, listed: Listed, clock: Clock) -> APIRouter:
    """`GET quality`, `GET quality/{chart}`, and limits made anew."""
    routes = Routes(tags=["quality"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/quality", response_model=list[ChartRow])
    def get_charts(asset: Annotated[str | None, Query(max_length=600)] = None) -> Response:
        """List the control charts with their state, those out of control first."""
        rows = [row for row in listed.rows() if asset in {None, row["asset"]}]
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
            return answer(_told(charts, found) | detail(charts.past(found, first, until), first, until))
        with found.lock:
            return answer(_told(charts, found) | detail(found.process, first, until))

    @routes.post(
        "/quality/{chart}/limits", dependencies=[needs(Right.LIMITS)], response_model=RevisionView, responses=NO_JSON
    )
    def renew(
        request: Request, chart: Annotated[str, Path(max_length=100)],
        asset: Annotated[str, Query(max_length=600)], anew: Anew,
    ) -> Response:  # fmt: skip
        """Make the limits of a chart anew of a time that you choose; the old ones are kept, and hold before it."""
        found = _find(charts, asset, chart)
        first, until = time_range(anew.start, anew.end, clock)
        before = revisions(charts.revisions(found))[-1:]
        charts.renew(found, first, until, signed(request, anew.by), anew.why)
        after = revisions(charts.revisions(found))[-1]
        changed(request, before[0] if before else None, after)
        return answer(after)

    return routes


def _told(charts: Charts, chart: Chart) -> dict[str, Any]:
    return head(chart) | {"revisions": revisions(charts.revisions(chart))}


def revisions(made: Sequence[Revision]) -> list[dict[str, Any]]:
    """Limits made anew as the API shows them, in the order of the decisions."""
    held = in_force(made)
    return [
        {
            "since": to_ms(one.since), "centre": one.limits.centre, "sigma": one.limits.sigma,
            "subgroups": one.limits.subgroups, "start": to_ms(one.limits.start), "end": to_ms(one.limits.end),
            "by": one.by, "why": one.why, "at": to_ms(one.at), "replaced": one not in held,
        }
        for one in made
    ]  # fmt: skip


def _find(charts: Charts, asset: str, name: str) -> Chart:
    if (asset, name) in charts.charts:
        return charts.charts[asset, name]
    names = [one for of, one in charts.charts if of == asset]
    word, known = (name, names) if names else (asset, [of for of, _ in charts.charts])
    close = difflib.get_close_matches(word[:200], known, 1, 0.6)
    hint = f"did you mean {close[0]!r}?" if close else "ask /api/v1/quality for those that are."
    raise Unknown(f"There is no chart {name[:100]!r} of {asset[:200]!r}: {hint}")
