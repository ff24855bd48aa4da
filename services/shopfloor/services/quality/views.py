"""What a chart shows, in columns ready for JSON. Times are epoch ms."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import ChartKind, ChartSection
from shopfloor.plant.config.quality import ATTRIBUTE
from shopfloor.services.quality.capability import Capability, Index, actual, capability
from shopfloor.services.quality.charts import Chart
from shopfloor.services.quality.evaluate import Points
from shopfloor.services.quality.limits import freedom, sigma_within
from shopfloor.services.quality.process import Process
from shopfloor.services.quality.subgroups import Columns
from shopfloor.services.quality.weighted import cusum_arl, ewma_arl

MOST: Final = 5_000
SPARK: Final = 40
_SHOWN: Final = (
    "measured", "value", "second", "n", "z", "centre", "lower", "upper",
    "spread", "spread_centre", "spread_lower", "spread_upper",
)  # fmt: skip


def row(chart: Chart) -> dict[str, Any]:
    """A chart in the list: its state, its newest point and the last points as a small picture."""
    with chart.lock:
        process = chart.process
        points, groups = process.points(), process.groups()
        newest = None if points is None else points.cut(slice(-SPARK, None))
        cpk = _cpk(process) if newest is not None else None
    return head(chart) | {
        "state": state(chart, newest),
        "learned": 0 if groups is None else min(len(groups), chart.section.baseline),
        "time": None if groups is None else float(groups.time[-1] / 1e6),
        "value": None if newest is None else float(newest.measured[-1]),
        "broken": [] if newest is None else broken(process, newest)[-1],
        "spark": {name: getattr(newest, name).tolist() if newest else [] for name in ("value", "lower", "upper")}
        | {"out": newest.broken.any(axis=1).tolist() if newest else []},
        "cpk": cpk.value if cpk else None,
    }


def head(chart: Chart) -> dict[str, Any]:
    """What is declared of a chart."""
    section, tag = chart.section, chart.tag
    return {
        "name": chart.name,
        "kind": str(section.chart),
        "title": section.title or tag.title or tag.name,
        "asset": str(chart.asset.path),
        "asset_title": chart.asset.title,
        "tag": f"{chart.asset.path}/{tag.name}",
        "unit": "" if section.chart in ATTRIBUTE else tag.unit,
        "decimals": tag.decimals,
        "baseline": section.baseline,
        "alarm": section.alarm,
        "advice": section.advice,
        "rules": list(chart.process.signals),
        "spec": section.spec.model_dump() if section.spec else None,
    }


def state(chart: Chart, newest: Points | None) -> str:
    """`waiting` for history, `learning` its limits, `out` of control at the newest point, or `in-control`."""
    if not chart.loaded:
        return "waiting"
    if newest is None:
        return "learning"
    return "out" if newest.broken[-1].any() else "in-control"


def detail(process: Process, start: int, end: int) -> dict[str, Any]:
    """A chart over a time range (UTC ns): points, lines, broken rules, capability and histogram."""
    points = _within(process.points(), start, end)
    more = max(0, len(points) - MOST) if points is not None else 0
    shown = points.cut(slice(more, None)) if points is not None else None
    return {
        "limits": _limits(process),
        "time": (np.round(shown.time / 1e3) / 1e3).tolist() if shown is not None else [],
        **{name: getattr(shown, name).tolist() if shown is not None else [] for name in _SHOWN},
        "quality": shown.quality.tolist() if shown is not None else [],
        "broken": broken(process, shown) if shown is not None else [],
        "more": more,
        "run_length": run_length(process.chart),
        "left_out": process.rows.left_out,
        "capability": _told(_capable(process, start, end)),
        "histogram": _histogram(process, start, end),
    }


def broken(process: Process, points: Points) -> list[list[str]]:
    """Names of the rules that every point breaks."""
    return [[process.signals[i] for i in np.flatnonzero(flags)] for flags in points.broken]


def run_length(chart: ChartSection) -> dict[str, float] | None:
    """Points until a signal, on average, in control and one standard deviation off; None of charts with rules.

    >>> run_length(ChartSection(chart="cusum", tag="d", slack=0.5, decision=4.0))
    {'in_control': 168.0, 'shifted': 8.4}
    """
    if chart.chart is ChartKind.CUSUM:
        found = [cusum_arl(chart.slack, chart.decision, shift) for shift in (0.0, 1.0)]
    elif chart.chart is ChartKind.EWMA:
        found = [ewma_arl(chart.weight, chart.width, shift) for shift in (0.0, 1.0)]
    else:
        return None
    return {"in_control": round(found[0], 1 if found[0] < 100 else 0), "shifted": round(found[1], 1)}


def _limits(process: Process) -> dict[str, Any] | None:
    limits = process.limits
    if limits is None:
        return None
    given = limits.subgroups == 0
    return {
        "centre": limits.centre,
        "sigma": limits.sigma,
        "subgroups": limits.subgroups,
        "start": None if given else limits.start / 1e6,
        "end": None if given else limits.end / 1e6,
    }


def _capable(process: Process, start: int, end: int) -> Capability | None:
    spec, kind = process.chart.spec, process.chart.chart
    values, groups = _within(process.values(), start, end), _within(process.groups(), start, end)
    if spec is None or values is None or groups is None or not len(groups):
        return None
    return capability(values.value, spec, sigma_within(kind, groups), freedom(kind, groups))


def _cpk(process: Process) -> Index | None:
    """Cpk of all values, alone: the whole capability tests for a normal distribution, which takes longer."""
    spec, values, groups, kind = process.chart.spec, process.values(), process.groups(), process.chart.chart
    if spec is None or values is None or groups is None:
        return None
    mean, within = float(np.mean(values.value)), sigma_within(kind, groups)
    return actual(spec, mean, within, len(values), freedom(kind, groups))


def _told(said: Capability | None) -> dict[str, Any] | None:
    return asdict(said) if said else None


def _histogram(process: Process, start: int, end: int) -> dict[str, list[float]] | None:
    values = _within(process.values(), start, end)
    if values is None or len(values) < 2:
        return None
    bins = int(np.clip(2.0 * len(values) ** (1 / 3), 6, 40))
    count, edges = np.histogram(values.value, bins)
    return {"edges": edges.tolist(), "count": count.tolist()}


def _within(columns: Any, start: int, end: int) -> Any:
    """The rows of a time range, end exclusive; None of nothing."""
    if not isinstance(columns, Columns):
        return None
    time: NDArray[np.int64] = columns.time  # type: ignore[attr-defined]
    return columns.cut(slice(int(np.searchsorted(time, start)), int(np.searchsorted(time, end))))
