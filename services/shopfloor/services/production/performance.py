"""Performance: OEE and the loss tree of machines and lines over a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from shopfloor.plant import Reader
from shopfloor.services.production.counts import planned_runs, rejected, steps
from shopfloor.services.production.kpi import Counts
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.records import Entry, Stop
from shopfloor.services.production.times import NOTHING, Times, times

Reasons = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Performance:
    """Times, counts, and how long (ns) which reasons held by kind of time; `doing` is what it does at the end."""

    path: str
    title: str
    times: Times
    counts: Counts
    reasons: Reasons
    doing: str = ""


def performance(
    reader: Reader, machine: Machine, planned: PlannedTime, start: int, end: int, now: int,
    stops: Sequence[Stop] = (), entries: Sequence[Entry] = (),
) -> Performance:  # fmt: skip
    """How a machine performed in [start, end), with its downtime records and entries of scrap and rework."""
    open_ = planned.open(start, end)
    found = machine.visits(reader, start, end, now)
    counts = counted(reader, machine, planned, start, end, entries)
    told = _reasons(stops, open_, start, end)
    return Performance(
        machine.path, machine.asset.title, times(found, open_, start, end), counts, told, found.at(end - 1)
    )


def counted(
    reader: Reader, machine: Machine, planned: PlannedTime, start: int, end: int, entries: Sequence[Entry] = ()
) -> Counts:
    """What a machine made in the planned parts of [start, end): what was made in a break is not counted.

    A continuous process makes no parts.
    """
    section, open_ = machine.production, planned.open(start, end)
    if not section.count:
        return Counts()
    made = steps(reader, machine.tag(section.count), start, end).inside(open_)
    run = float(made.step @ planned_runs(reader, machine.path, section, made))
    pq = float(made.step.sum())
    sq = float(sum(entry.quantity for entry in entries if entry.kind == "scrap"))
    if section.scrap:
        sq += float(steps(reader, machine.tag(section.scrap), start, end).step.sum())
    sq += len(rejected(reader, machine.path, section, start, end))
    rq = float(sum(entry.quantity for entry in entries if entry.kind == "rework"))
    return Counts(pq, sq, rq, run)


def together(path: str, parts: Iterable[Performance]) -> Performance:
    """Several machines as one: their times and counts added."""
    whole, counts = NOTHING, Counts()
    reasons: dict[str, dict[str, int]] = {}
    for part in parts:
        whole, counts = whole + part.times, counts + part.counts
        for kind, told in part.reasons.items():
            mine = reasons.setdefault(kind, {})
            for reason, ns in told.items():
                mine[reason] = mine.get(reason, 0) + ns
    return Performance(path, path.rsplit("/", 1)[-1], whole, counts, reasons)


def _reasons(stops: Sequence[Stop], open_: np.ndarray, start: int, end: int) -> Reasons:
    """How long (ns) each reason held in the planned parts, by kind of time."""
    told: dict[str, dict[str, int]] = {}
    for stop in stops:
        if not stop.reason:
            continue
        first, last = max(stop.start, start), min(end if stop.end is None else stop.end, end)
        within = np.minimum(open_[:, 1], last) - np.maximum(open_[:, 0], first)
        kind = told.setdefault(stop.kind, {})
        kind[stop.reason] = kind.get(stop.reason, 0) + int(np.maximum(within, 0).sum())
    return told
