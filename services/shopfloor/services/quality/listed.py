"""The list of all charts, as pages and the live socket show it: a row is made again only when it changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from shopfloor.services.quality.charts import Chart, Charts
from shopfloor.services.quality.views import SPARK, row

_FEW: Final = 5
"""With fewer subgroups nobody knows how often one comes."""


class Listed:
    """Rows of charts. `clock` tells UTC ns."""

    def __init__(self, charts: Charts, clock: Callable[[], int]) -> None:
        self._charts, self._clock = charts, clock
        self._made: dict[str, tuple[object, dict[str, Any]]] = {}

    def rows(self) -> list[Mapping[str, Any]]:
        """A row for every chart, in the order of the plant file."""
        now = self._clock()
        return [self._row(chart, now) for chart in self._charts.charts.values()]

    def _row(self, chart: Chart, now: int) -> Mapping[str, Any]:
        with chart.lock:
            groups = chart.process.groups()
            last = None if groups is None else int(groups.time[-1])
            late = silent(chart, now)
            mark = (chart.process, last, chart.process.limits, chart.loaded, late, 0 if groups is None else len(groups))
            kept = self._made.get(chart.key)
            if kept is None or kept[0] != mark:
                kept = (mark, row(chart) | {"silent": late})
                self._made[chart.key] = kept
        return kept[1]


def silent(chart: Chart, now: int) -> bool:
    """Whether no subgroup came for twice as long as the longest pause between the last forty."""
    groups = chart.process.groups()
    if groups is None or len(groups) < _FEW:
        return False
    times = groups.time[-SPARK:]
    return now - int(times[-1]) > 2 * int(np.diff(times).max())
