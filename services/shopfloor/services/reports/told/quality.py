"""Control charts in a report: signals, capability with its interval, and the picture of those that signalled."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from shopfloor.services.quality import Chart
from shopfloor.services.quality.views import detail, head
from shopfloor.services.reports.document import ChartLine, Points
from shopfloor.services.reports.scope import Scope
from shopfloor.services.reports.told.services import Services

DRAWN: Final = 6
"""So many charts are drawn, those with most signals."""
_POINTS: Final = 240


def charts(of: Scope[Services]) -> tuple[ChartLine, ...]:
    """All charts of the place, those with most signals first."""
    mine = [chart for chart in of.services.charts.charts.values() if of.holds(str(chart.asset.path))]
    lines = [_line(of, chart) for chart in mine]
    lines.sort(key=lambda line: (-line.signals, line.asset, line.name))
    return tuple(line if i < DRAWN else _undrawn(line) for i, line in enumerate(lines))


def _line(of: Scope[Services], chart: Chart) -> ChartLine:
    known, said = head(chart), _told(of, chart)
    rules = Counter(rule for broken in said["broken"] for rule in broken)
    signals = sum(1 for broken in said["broken"] if broken)
    able: Mapping[str, Any] = said["capability"] or {}
    cpk: Mapping[str, float] = able.get("cpk") or {}
    return ChartLine(
        asset=of.title(str(chart.asset.path)), name=chart.name, title=known["title"], unit=known["unit"],
        decimals=known["decimals"], points=len(said["time"]), signals=signals, rules=dict(rules),
        cpk=cpk.get("value"), low=cpk.get("low"), high=cpk.get("high"), normal=able.get("normal"),
        outside=able.get("outside"), plot=_points(said) if signals else None,
    )  # fmt: skip


def _told(of: Scope[Services], chart: Chart) -> dict[str, Any]:
    """The same answer that `GET quality/{chart}` gives."""
    if chart.loaded and of.start < chart.since:
        return detail(of.services.charts.past(chart, of.start, of.end), of.start, of.end)
    with chart.lock:
        return detail(chart.process, of.start, of.end)


def _points(said: Mapping[str, Any]) -> Points:
    """The newest points, as many as can be told apart on paper."""
    cut = slice(-_POINTS, None)
    value, centre, lower, upper = (
        tuple(_number(one) for one in said[name][cut]) for name in ("value", "centre", "lower", "upper")
    )
    time = tuple(round(ms * 1e6) for ms in said["time"][cut])
    return Points(time, value, centre, lower, upper, tuple(bool(broken) for broken in said["broken"][cut]))


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _undrawn(line: ChartLine) -> ChartLine:
    return replace(line, plot=None)
