"""A chart judged: subgroups become points with their lines and the rules they break, whole or as they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import ChartKind, ChartSection
from shopfloor.plant.config.quality import ATTRIBUTE, AVERAGED, WEIGHTED
from shopfloor.services.quality import limits as lines
from shopfloor.services.quality.limits import Limits
from shopfloor.services.quality.rules import RuleStream, expanded
from shopfloor.services.quality.subgroups import Columns, Subgroups
from shopfloor.services.quality.weighted import cusum, ewma, ewma_limits

Line = NDArray[np.float64]
_FAR: Final = 1e6


@dataclass(frozen=True, slots=True)
class Points(Columns):
    """Points of a chart. `value` is what is plotted; `second` the downward sum of a CUSUM, negative.

    `measured` is the mean, count or share itself; `z` its distance from the centre line in standard deviations;
    `broken` has one column for each of the chart's signals. NaN where a chart has no such number.
    """

    time: NDArray[np.int64]
    measured: Line
    value: Line
    second: Line
    n: Line
    quality: NDArray[np.uint32]
    z: Line
    centre: Line
    lower: Line
    upper: Line
    spread: Line
    spread_centre: Line
    spread_lower: Line
    spread_upper: Line
    broken: NDArray[np.bool_]


def signals(chart: ChartSection) -> tuple[str, ...]:
    """Names of what a point of the chart can break, in the order of the columns of `broken`.

    >>> signals(ChartSection(chart="i-mr", tag="d", rules=["nelson-1"]))
    ('nelson-1', 'spread')
    """
    if chart.chart in WEIGHTED:
        return (str(chart.chart),)
    rules = tuple(str(rule) for rule in expanded(chart.rules))
    return rules if chart.chart in ATTRIBUTE else (*rules, "spread")


class Evaluator:
    """Judges subgroups against fixed limits, in portions of any size with the same answer to the last bit.

    >>> chart = ChartSection(chart="i-mr", tag="d", rules=["nelson-1"])
    >>> ones = Subgroups(np.arange(2), np.array([10.0, 14.0]), np.full(2, np.nan), np.ones(2), np.zeros(2, "u4"))
    >>> points = Evaluator(chart, Limits(10.0, 1.0)).add(ones)
    >>> points.z.tolist(), points.broken.tolist(), points.upper.tolist()
    ([0.0, 4.0], [[False, False], [True, True]], [13.0, 13.0])
    """

    def __init__(self, chart: ChartSection, limits: Limits) -> None:
        self.chart, self.limits = chart, limits
        self._rules = RuleStream(() if chart.chart in WEIGHTED else expanded(chart.rules))
        self._before = np.nan
        self._average = 0.0
        self._sums = (0.0, 0.0)
        self._count = 0

    def add(self, groups: Subgroups) -> Points:
        """The points of subgroups that are newer than all before."""
        kind = self.chart.chart
        measured = lines.plotted(kind, groups)
        z = _distance(measured - self._centre(groups), lines.deviation(kind, self.limits, groups.n))
        if kind is ChartKind.EWMA:
            return self._averaged(groups, z)
        if kind is ChartKind.CUSUM:
            return self._summed(groups, z)
        shown = lines.location(kind, self.limits, groups.n)
        broken = self._rules.add(z)
        if kind in ATTRIBUTE:
            return _points(groups, measured, z, measured, shown, broken)
        spread, bounds = self._spread(groups), lines.spread(kind, self.limits, groups.n)
        out = (spread > bounds.upper) | (spread < bounds.lower)
        return _points(groups, measured, z, measured, shown, np.column_stack([broken, out]), spread, bounds)

    def _centre(self, groups: Subgroups) -> Line:
        return self.limits.centre * (groups.n if self.chart.chart is ChartKind.NP else np.ones(len(groups)))

    def _spread(self, groups: Subgroups) -> Line:
        if self.chart.chart in AVERAGED:
            return groups.spread
        moving: Line = np.abs(np.diff(groups.value, prepend=self._before))
        self._before = float(groups.value[-1]) if len(groups) else self._before
        return moving

    def _averaged(self, groups: Subgroups, z: Line) -> Points:
        kind, chart = self.chart.chart, self.chart
        moving = ewma(z, chart.weight, self._average)
        half = ewma_limits(chart.weight, chart.width, self._count + 1, len(z))
        self._average = float(moving[-1]) if len(z) else self._average
        self._count += len(z)
        shown = lines.location(kind, self.limits, groups.n, half)
        value = self.limits.centre + moving * lines.deviation(kind, self.limits, groups.n)
        return _points(groups, groups.value, z, value, shown, (np.abs(moving) > half)[:, None])

    def _summed(self, groups: Subgroups, z: Line) -> Points:
        high, low = cusum(z, self.chart.slack, self._sums)
        if len(z):
            self._sums = float(high[-1]), float(low[-1])
        limit = np.full(len(z), float(self.chart.decision))
        shown = lines.Lines(np.zeros(len(z)), -limit, limit)
        broken = ((high > limit) | (low > limit))[:, None]
        return _points(groups, groups.value, z, high, shown, broken, second=-low)


def _distance(off: Line, deviation: Line) -> Line:
    """In standard deviations; where nothing varies, 0 on the line and very far beside it."""
    safe = np.where(deviation > 0, deviation, 1.0)
    flat = np.where(off == 0, 0.0, np.copysign(_FAR, off))
    answer: Line = np.where(deviation > 0, off / safe, np.where(np.isnan(deviation) | np.isnan(off), np.nan, flat))
    return answer


def _points(
    groups: Subgroups, measured: Line, z: Line, value: Line, shown: lines.Lines, broken: NDArray[np.bool_],
    spread: Line | None = None, bounds: lines.Lines | None = None, *, second: Line | None = None,
) -> Points:  # fmt: skip
    none = np.full(len(groups), np.nan)
    bounds = bounds or lines.Lines(none, none, none)
    return Points(
        groups.time, measured, value, none if second is None else second, groups.n, groups.quality, z,
        shown.centre, shown.lower, shown.upper, none if spread is None else spread,
        bounds.centre, bounds.lower, bounds.upper, broken,
    )  # fmt: skip
