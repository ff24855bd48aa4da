"""Performance: OEE and the loss tree of machines and lines over a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shopfloor.plant import Reader
from shopfloor.services.production.kpi import Counts
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.made import Made, made
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.records import Entry
from shopfloor.services.production.times import NOTHING, Times, times
from shopfloor.services.production.told import Reasons
from shopfloor.services.production.visits import Visits


@dataclass(frozen=True, slots=True)
class Performance:
    """Times, counts, and how long (ns) which reasons held by kind of time; `doing` is what it does at the end."""

    path: str
    title: str
    times: Times
    counts: Counts
    reasons: Reasons
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Did:
    """What a machine did and made, without what people entered; `doing` is what it does at the end."""

    times: Times
    counts: Counts
    doing: str = ""

    def __add__(self, later: Did) -> Did:
        return Did(self.times + later.times, self.counts + later.counts, later.doing)


def did(
    reader: Reader, machine: Machine, planned: PlannedTime, start: int, end: int, now: int, found: Visits | None = None
) -> Did:
    """What a machine did and made in [start, end) (UTC ns), read from its values, where its visits are not `found`."""
    (one,) = did_each(reader, machine, planned, (start, end), now, found)
    return one


def did_each(
    reader: Reader, machine: Machine, planned: PlannedTime, edges: Sequence[int], now: int, found: Visits | None = None
) -> list[Did]:
    """What a machine did and made from each of the edges (UTC ns) to the next: the same as `did`, read once for all."""
    first, last = edges[0], edges[-1]
    found = machine.visits(reader, first, last, now) if found is None else found
    whole = made(reader, machine, planned.open(first, last), first, last)
    return [
        Did(
            times(found, planned.open(start, end), start, end),
            _counts(whole.within(start, end)),
            found.at(end - 1),
        )
        for start, end in pairwise(edges)
    ]


def performance(machine: Machine, done: Did, reasons: Reasons, entries: Sequence[Entry]) -> Performance:
    """How a machine performed, with the reasons of its stops and entries of scrap and rework."""
    counts = done.counts + _entered(entries)
    return Performance(machine.path, machine.asset.title, done.times, counts, reasons, done.doing)


def counted(
    reader: Reader, machine: Machine, planned: PlannedTime, start: int, end: int, entries: Sequence[Entry] = ()
) -> Counts:
    """What a machine made in the planned parts of [start, end): what was made in a break is not counted."""
    return _counts(made(reader, machine, planned.open(start, end), start, end)) + _entered(entries)


def _counts(found: Made) -> Counts:
    return Counts(float(found.parts.step.sum()), float(found.scrap.step.sum()), 0.0, float(found.planned_run.sum()))


def _entered(entries: Sequence[Entry]) -> Counts:
    scrap, rework = (
        float(sum(entry.quantity for entry in entries if entry.kind == kind)) for kind in ("scrap", "rework")
    )
    return Counts(0.0, scrap, rework)


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
