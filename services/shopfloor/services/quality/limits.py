"""Control limits: phase I data to centre line and standard deviation, and those to the lines of a chart.

Formulas of ISO 7870-2 (Shewhart charts) and AIAG SPC, written with sigma = R/d2 or s/c4 instead of A2 and its kin, so
that subgroups of different sizes get their own lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import ChartKind
from shopfloor.plant.config.quality import ATTRIBUTE
from shopfloor.services.quality.constants import LARGEST, c4, d2, d3
from shopfloor.services.quality.subgroups import Subgroups

Line = NDArray[np.float64]
SIGMAS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Centre line and standard deviation of single values (NaN where things are counted), and whence they are.

    `subgroups` is 0 where they are given; `start` and `end` are the times (UTC ns) of the first and last subgroup.
    """

    centre: float
    sigma: float
    subgroups: int = 0
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Lines:
    """The centre line and the control limits at every point."""

    centre: Line
    lower: Line
    upper: Line


def phase_one(kind: ChartKind, subgroups: Subgroups) -> Limits:
    """Limits from the subgroups of phase I; at least one, and for single values two.

    >>> ones = Subgroups(np.arange(3), np.array([9.0, 11.0, 10.0]), np.full(3, np.nan), np.ones(3), np.zeros(3, "u4"))
    >>> limits = phase_one(ChartKind.I_MR, ones)
    >>> limits.centre, round(limits.sigma, 4)
    (10.0, 1.3293)
    """
    span = len(subgroups), int(subgroups.time[0]), int(subgroups.time[-1])
    value, n = subgroups.value, subgroups.n
    if kind is ChartKind.C:
        return Limits(float(np.mean(value)), np.nan, *span)
    if kind in ATTRIBUTE:
        return Limits(float(np.sum(value) / max(np.sum(n), 1e-300)), np.nan, *span)
    return Limits(float(np.sum(value * n) / np.sum(n)), sigma_within(kind, subgroups), *span)


def sigma_within(kind: ChartKind, subgroups: Subgroups) -> float:
    """Standard deviation of single values within subgroups: R/d2, s/c4, or MR/d2 for single values; else NaN."""
    several = subgroups.n > 1
    if not several.any():
        return float(np.mean(np.abs(np.diff(subgroups.value))) / d2(2)) if len(subgroups) > 1 else np.nan
    by = d2 if kind is ChartKind.XBAR_R else c4
    return float(np.mean(subgroups.spread[several] / _each(by, subgroups.n[several])))


def freedom(kind: ChartKind, subgroups: Subgroups) -> float:
    """Degrees of freedom of that estimate: those of the s with the same relative variance, 1 / (2 f).

    Ranges after Patnaik (1950); moving ranges of two after Cryer and Ryan (1990): 0.8265 / (m - 1).
    """
    n = subgroups.n[subgroups.n > 1]
    if not len(n):
        return max((len(subgroups) - 1) / (2.0 * 0.8264), 1.0)
    if kind is ChartKind.XBAR_R:
        relative = _each(lambda size: (d3(size) / d2(size)) ** 2, n)
    else:
        relative = _each(lambda size: (1.0 - c4(size) ** 2) / c4(size) ** 2, n)
    return max(len(n) ** 2 / (2.0 * float(np.sum(relative))), 1.0)


def plotted(kind: ChartKind, subgroups: Subgroups) -> Line:
    """The statistic that the chart shows: the mean, the count, or the share of what was inspected."""
    if kind in {ChartKind.P, ChartKind.U}:
        return subgroups.value / np.where(subgroups.n > 0, subgroups.n, np.nan)
    return subgroups.value


def deviation(kind: ChartKind, limits: Limits, n: Line) -> Line:
    """Standard deviation of the plotted statistic for subgroups of each size."""
    n = np.where(n > 0, n, np.nan)
    match kind:
        case ChartKind.P:
            return np.sqrt(limits.centre * (1.0 - limits.centre) / n)
        case ChartKind.NP:
            return np.sqrt(limits.centre * (1.0 - limits.centre) * n)
        case ChartKind.C:
            return np.full(len(n), np.sqrt(limits.centre))
        case ChartKind.U:
            return np.sqrt(limits.centre / n)
        case _:
            return limits.sigma / np.sqrt(n)


def location(kind: ChartKind, limits: Limits, n: Line, sigmas: float | Line = SIGMAS) -> Lines:
    """The lines of the plotted statistic; nothing counted is below 0, no share above 1."""
    centre = limits.centre * n if kind is ChartKind.NP else np.full(len(n), limits.centre)
    half = sigmas * deviation(kind, limits, n)
    lower, upper = centre - half, centre + half
    if kind in ATTRIBUTE:
        lower = np.maximum(lower, 0.0)
    if kind in {ChartKind.P, ChartKind.NP}:
        upper = np.minimum(upper, n if kind is ChartKind.NP else 1.0)
    return Lines(centre, lower, upper)


def spread(kind: ChartKind, limits: Limits, n: Line) -> Lines:
    """The lines of the range, the standard deviation or the moving range; NaN for single values in a subgroup."""
    n = np.full(len(n), 2.0) if kind is ChartKind.I_MR else n
    if kind is ChartKind.XBAR_S:
        middle, wide = _each(c4, n), _each(lambda size: np.sqrt(1.0 - c4(size) ** 2), n)
    else:
        middle, wide = _each(d2, n), _each(d3, n)
    centre, half = limits.sigma * middle, SIGMAS * limits.sigma * wide
    return Lines(centre, np.maximum(centre - half, 0.0), centre + half)


def _each(constant: Callable[[int], float], n: Line) -> Line:
    """A constant for subgroups of each size."""
    sizes, place = np.unique(n, return_inverse=True)
    found = [constant(min(int(size), LARGEST)) if size > 1 else np.nan for size in sizes]
    answer: Line = np.array(found, np.float64)[place]
    return answer
