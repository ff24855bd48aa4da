"""Production in a report: OEE against what came before, stops, orders, rejects, energy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Final

import numpy as np
from shopfloor.services.historian.options import NS
from shopfloor.services.production import Stop
from shopfloor.services.production.counts import rejected, steps
from shopfloor.services.production.energy import Energy
from shopfloor.services.production.kpi import kpis
from shopfloor.services.production.losses import loss_tree
from shopfloor.services.production.order import Run
from shopfloor.services.production.performance import Performance, together
from shopfloor.services.production.planned import Span
from shopfloor.services.production.visits import KINDS
from shopfloor.services.reports import document
from shopfloor.services.reports.document import (
    Cause,
    Downtime,
    EnergyLine,
    Factors,
    Lane,
    Made,
    OrderLine,
    Reject,
    Stood,
    Unit,
)
from shopfloor.services.reports.gather.stores import Stores
from shopfloor.services.reports.period import before
from shopfloor.services.reports.scope import Scope

Used = tuple[Performance, Energy | None]
USUAL: Final = 7
_LONGEST: Final = 10


def used(of: Scope[Stores]) -> list[Used]:
    """How each machine performed in the time, and the energy of those that count it."""
    return of.services.production.used([machine.path for machine in of.machines], Span(of.start, of.end))


def oee(of: Scope[Stores], unit: Unit, each: Sequence[Used]) -> document.Oee | None:
    """OEE of the time, of the period before, and the mean of the seven before; None where nothing makes parts."""
    production = of.services.production
    parts = [part for part, _ in each if production.machines[part.path].production.count]
    paths = [part.path for part in parts]
    if not paths:
        return None
    earlier = before(production.planned.calendar, unit, of.start, USUAL)
    past = [_factors(together("", machines)) for machines in production.performances(paths, earlier)]
    known = [one for one in past if one.availability is not None]
    whole = together("", parts)
    return document.Oee(
        _factors(whole), past[-1] if past[-1] in known else None, mean(known) if known else None, len(known),
        _made(whole, ""), tuple(_made(part, of.title(part.path)) for part in parts),
    )  # fmt: skip


def mean(each: Sequence[Factors]) -> Factors:
    """The mean of indicators and losses; an indicator that one of them lacks is the mean of the others.

    >>> one = Factors(0.5, 1.0, None, 1.0, 100.0, {"down": 20.0})
    >>> mean([one, Factors(0.7, 0.8, None, 1.0, 100.0, {"down": 40.0})])
    Factors(oee=0.6, availability=0.9, effectiveness=None, quality_ratio=1.0, planned=100.0, losses={'down': 30.0})
    """

    def share(name: str) -> float | None:
        found = [value for one in each if (value := getattr(one, name)) is not None]
        return sum(found) / len(found) if found else None

    losses = {kind: sum(one.losses[kind] for one in each) / len(each) for kind in each[0].losses}
    return Factors(
        share("oee"), share("availability"), share("effectiveness"), share("quality_ratio"),
        sum(one.planned for one in each) / len(each), losses,
    )  # fmt: skip


def downtime(of: Scope[Stores]) -> Downtime | None:
    """Lanes, causes and the longest stops; None without machines."""
    machines, production = of.machines, of.services.production
    if not machines:
        return None
    lanes = []
    for machine in machines:
        did = machine.visits(of.services.reader, of.start, of.end, production.clock())
        edges = np.clip(did.edges, of.start, of.end)
        keep = np.flatnonzero(np.diff(edges) > 0)
        kinds = tuple(KINDS[code] for code in did.code[keep].tolist())
        lanes.append(Lane(of.title(machine.path), (*edges[keep].tolist(), of.end), kinds))
    stops = [_stood(of, one) for one in production.store.stops(of.start, of.end) if of.holds(one.asset)]
    longest = sorted(stops, key=lambda one: -one.seconds)[:_LONGEST]
    return Downtime(tuple(lanes), causes(stops), tuple(longest), len(stops))


def causes(stops: Sequence[Stood]) -> tuple[Cause, ...]:
    """Stops by reason, or by what the machine did where nobody told one; the longest first."""
    long: dict[tuple[str, str], float] = {}
    for stop in stops:
        key = (stop.reason, "" if stop.reason else stop.kind)
        long[key] = long.get(key, 0.0) + stop.seconds
    count = Counter((stop.reason, "" if stop.reason else stop.kind) for stop in stops)
    return tuple(Cause(*key, long[key], count[key]) for key in sorted(long, key=lambda key: -long[key]))


def orders(of: Scope[Stores]) -> tuple[OrderLine, ...]:
    """The orders that ran in the time at machines of the place."""
    book, now, found = of.services.production.orders, of.services.production.clock(), []
    for order in book.all():
        runs = book.runs(order.number)
        here = [
            Run(run.number, max(run.start, of.start), min(now if run.end is None else run.end, of.end)) for run in runs
        ]
        here = [run for run in here if run.end is not None and run.start < run.end]
        if here and any(of.holds(machine.path) for machine in book.machines(order)):
            whole, part = book.counts(order, runs), book.counts(order, here)
            found.append(
                OrderLine(order.number, order.item, order.state.value, order.quantity, whole.gq, whole.sq, part.gq)
            )
    return tuple(found)


def rejects(of: Scope[Stores]) -> tuple[Reject, ...]:
    """Scrap and rework by reason: what people entered, what was measured out of range, what a counter counted."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in of.services.production.store.entries(of.start, of.end):
        if of.holds(entry.asset):
            found[entry.kind, entry.reason] += entry.quantity
    counted = measured = 0.0
    for machine in of.machines:
        section, reader = machine.production, of.services.reader
        measured += len(rejected(reader, machine.path, section, of.start, of.end))
        if section.scrap:
            counted += float(steps(reader, machine.tag(section.scrap), of.start, of.end).step.sum())
    rows = [Reject(kind, reason, float(n)) for (kind, reason), n in found.items()]
    rows += [Reject("scrap", reason, n) for reason, n in (("measured", measured), ("counter", counted)) if n]
    return tuple(sorted(rows, key=lambda row: -row.quantity))


def energy(of: Scope[Stores], each: Sequence[Used]) -> tuple[EnergyLine, ...]:
    """The machines that count their energy."""
    return tuple(
        EnergyLine(of.title(part.path), one.total, one.running, one.standing, one.base_load, part.counts.gq)
        for part, one in each
        if one
    )


def _factors(part: Performance) -> Factors:
    found = kpis(part.times, part.counts)
    losses = {loss.kind: loss.ns / NS for loss in loss_tree(part.times, part.counts, part.reasons)}
    return Factors(found.oee, found.availability, found.effectiveness, found.quality_ratio, part.times.pot / NS, losses)


def _made(part: Performance, title: str) -> Made:
    count, time = part.counts, part.times
    each = count.planned_run / count.pq if count.pq else 0.0
    possible = time.pbt / each if each else None
    return Made(title, _factors(part), count.pq, count.gq, count.sq, count.rq, possible)


def _stood(of: Scope[Stores], stop: Stop) -> Stood:
    first, last = max(stop.start, of.start), of.end if stop.end is None else min(stop.end, of.end)
    said = asdict(replace(stop, start=first))
    words = {name: said[name] for name in ("start", "kind", "reason", "comment", "by")}
    return Stood(of.title(stop.asset), seconds=(last - first) / NS, open=stop.end is None, **words)
