"""Whole hours of a machine as rows of numbers that can be added: what it did, and what it made.

A visit at the border of an hour is judged by its whole length, and a counter goes on from the hour before: so the sum
of hours is what one look at all of their time would find.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Reader
from shopfloor.services.historian.options import HOUR
from shopfloor.services.production.counts import Ints, Steps
from shopfloor.services.production.kpi import Counts
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.made import made
from shopfloor.services.production.performance import Did
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.times import Times
from shopfloor.services.production.visits import KINDS, Visits

Rows = NDArray[np.float64]

_CLOSED: Final = len(KINDS)
WIDTH: Final = _CLOSED + 4
"""Of a row: ns of each of `KINDS`, ns in which nothing was planned, parts, scrap, and planned run time (ns).

All are whole numbers of ns far below 2^53 in a month: their sums are exact.
"""


def hourly(reader: Reader, machine: Machine, planned: PlannedTime, start: int, end: int) -> Rows:
    """A row for each hour of [start, end) (UTC ns, whole hours), long enough ago that no visit of it goes on."""
    open_ = planned.open(start, end)
    found = machine.visits(reader, start, end, end + machine.margin)
    done = made(reader, machine, open_, start, end)
    rows = np.zeros(((end - start) // HOUR, WIDTH))
    rows[:, : _CLOSED + 1] = held(found, open_, start, end)
    for column, steps in enumerate((done.parts, done.scrap, Steps(done.parts.time, done.planned_run)), _CLOSED + 1):
        np.add.at(rows[:, column], (steps.time - start) // HOUR, steps.step)
    return rows


def held(found: Visits, planned: Ints, start: int, end: int) -> Rows:
    """How long (ns) each kind of time was in each hour of [start, end), and how long nothing was planned."""
    hours = np.arange(start, end + 1, HOUR)
    edges = np.unique(np.concatenate([hours, found.edges, planned.ravel()]))
    edges = edges[(edges >= start) & (edges <= end)]
    begins = edges[:-1]
    kind = found.code[np.searchsorted(found.edges, begins, "right") - 1]
    is_open = np.searchsorted(planned[:, 0], begins, "right") > np.searchsorted(planned[:, 1], begins, "right")
    rows = np.zeros((len(hours) - 1, _CLOSED + 1))
    np.add.at(rows, ((begins - start) // HOUR, np.where(is_open, kind, _CLOSED)), np.diff(edges))
    return rows


def together(rows: Rows) -> Did:
    """The sum of hours.

    >>> two = np.zeros((2, WIDTH))
    >>> two[:, 0], two[:, -3] = (HOUR, HOUR // 2), (40, 20)
    >>> did = together(two)
    >>> did.times.apt / HOUR, did.counts.pq
    (1.5, 60.0)
    """
    row = rows.sum(axis=0)
    times = [round(ns) for ns in row[: _CLOSED + 1].tolist()]
    parts, scrap, run = row[_CLOSED + 1 :].tolist()
    return Did(Times(dict(zip(KINDS, times, strict=False)), times[_CLOSED]), Counts(parts, scrap, 0.0, run))
