"""What a client lost in an outage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from shopfloor.gateway.cut import Cut
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.grid import Grid
from shopfloor.services.bench.loads import Load
from shopfloor.services.bench.scenario import Scenario

Side = Callable[[str, Scenario, Load, Place, ExitStack], Awaitable["Watched"]]


@dataclass(frozen=True, slots=True)
class Watched:
    """A client behind a link; `outcome` is asked once, with when the watch began and when the link was back (s)."""

    link: Cut
    outcome: Callable[[float, float], Awaitable[dict[str, Any]]]


def judged(
    ticks: Mapping[int, Sequence[int]], scenario: Scenario, grid: Grid, begun: float, ended: float
) -> dict[str, int]:
    """Compare what came for each item with the ticks that were due from `begun` to a second before `ended` (s).

    >>> load = Scenario("x", "x", "opcua", (), "columnar", 1, 1.0)
    >>> judged({0: [1, 2, 2, 4]}, load, Grid(0, 1_000_000_000), 1.0, 6.0)
    {'expected': 4, 'lost': 1, 'twice': 1}
    """
    first = -(-(round(begun * 1e9) - grid.start) // grid.period)
    last = (round(ended * 1e9) - 1_000_000_000 - grid.start) // grid.period
    due = np.arange(max(0, first), last)
    lost = twice = 0
    for item in range(scenario.items):
        came, times = np.unique(np.array(ticks.get(item, []), np.int64), return_counts=True)
        lost += int(np.isin(due, came, invert=True).sum())
        twice += int((times - 1).sum())
    return {"expected": len(due) * scenario.items, "lost": lost, "twice": twice}
