"""The process of one characteristic of one asset: stored values in, subgroups, limits of phase I and points out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
from shopfloor.plant.config import ChartSection
from shopfloor.services.quality.evaluate import Evaluator, Points, signals
from shopfloor.services.quality.kept import Revision, in_force
from shopfloor.services.quality.limits import Limits, phase_one
from shopfloor.services.quality.rows import Rows
from shopfloor.services.quality.subgroups import Columns, Grouper, Measured, Subgroups

C = TypeVar("C", bound=Columns)

KEPT: Final = 200_000
"""Most points, and most single values, that stay in memory for each chart."""


class Process:
    """Takes stored values in order of time, in portions of any size. Limits are given, or made of the first subgroups.

    Limits that were made anew (`revisions`) hold from their time on.

    Until phase I is complete there are subgroups and no points; then every subgroup since the first is a point.
    """

    def __init__(
        self, chart: ChartSection, asset: str, limits: Limits | None = None, revisions: Sequence[Revision] = ()
    ) -> None:
        self.chart, self.signals = chart, signals(chart)
        self._ahead = in_force(revisions)
        self.rows = Rows(chart, asset)
        self._grouper = Grouper(chart)
        self._evaluator: Evaluator | None = None
        self._groups: list[Subgroups] = []
        self._points: list[Points] = []
        self._values: list[Measured] = []
        given = limits or _given(chart)
        if given is not None:
            self._evaluator = Evaluator(chart, given)

    @property
    def limits(self) -> Limits | None:
        """The limits in use; None while phase I lasts."""
        return self._evaluator.limits if self._evaluator else None

    def add(self, table: pa.Table, start: int = 0) -> None:
        """Take what a `Reader` answers for the chart's tags; values before `start` (UTC ns) only hold."""
        rows = self.rows.take(table, start)
        if isinstance(rows, Measured) and len(rows):
            self._values.append(rows)
        if len(rows):
            self._grown(self._grouper.add(rows))

    def flush(self, now: int) -> None:
        """Close the subgroup of a period that is over."""
        closed = self._grouper.flush(now)
        if closed is not None:
            self._grown(closed)

    def groups(self) -> Subgroups | None:
        """All subgroups; None before the first."""
        return _whole(self._groups)

    def points(self) -> Points | None:
        """All points; None before the first."""
        return _whole(self._points)

    def values(self) -> Measured | None:
        """All single values that count; None where things are counted, or before the first."""
        return _whole(self._values)

    def _grown(self, fresh: Subgroups) -> None:
        if not len(fresh):
            return
        self._groups.append(fresh)
        if self._evaluator is not None:
            self._points += self._judged(self._evaluator, fresh)
            return
        groups = _whole(self._groups)
        if groups is not None and len(groups) >= self.chart.baseline:
            limits = phase_one(self.chart.chart, groups.cut(slice(0, self.chart.baseline)))
            self._points += self._judged(Evaluator(self.chart, limits), groups)

    def _judged(self, evaluator: Evaluator, groups: Subgroups) -> Iterator[Points]:
        """Subgroups by the limits that hold for each; where limits were made anew the rules begin anew too."""
        while self._ahead and len(groups) and int(groups.time[-1]) >= self._ahead[0].since:
            cut = int(np.searchsorted(groups.time, self._ahead[0].since))
            if cut:
                yield evaluator.add(groups.cut(slice(0, cut)))
            evaluator = Evaluator(self.chart, self._ahead.pop(0).limits)
            groups = groups.cut(slice(cut, None))
        if len(groups):
            yield evaluator.add(groups)
        self._evaluator = evaluator


def _given(chart: ChartSection) -> Limits | None:
    """Limits of the plant file."""
    if chart.centre is None:
        return None
    return Limits(chart.centre, np.nan if chart.sigma is None else chart.sigma)


def _whole(parts: list[C]) -> C | None:
    """All parts as one, which stays; the oldest rows go where there are too many."""
    if not parts:
        return None
    if len(parts) > 1:
        parts[:] = [type(parts[0]).joined(parts)]
    if len(parts[0]) > KEPT:
        parts[:] = [parts[0].cut(slice(-KEPT, None))]
    return parts[0]
