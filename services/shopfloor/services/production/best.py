"""The best earlier run of what a machine makes now: what people want to see beside the run that is going on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from shopfloor.services.historian.options import DAY, NS
from shopfloor.services.production.kpi import Kpis, kpis
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.planned import Span
from shopfloor.services.production.production import Production

LOOKED_BACK: Final = 30 * DAY
_SHORTEST: Final = 600 * NS
_FEWEST: Final = 5
"""Of fewer parts a share tells nothing."""
_MOST: Final = 60
_SHIFTS: Final = 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time (UTC ns) in which a machine made one thing; `name` is an order, an item, or a shift with its day."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A run with its indicators and the parts that were made in it."""

    run: Stretch
    kpis: Kpis
    made: float


@dataclass(frozen=True, slots=True)
class Best:
    """The run that goes on, and the best one before; `basis`: order, item or shift, `by`: oee or scrap.

    `runs` is how many were compared. `best` is None where there was none.
    """

    basis: str
    item: str
    now: Stretch
    runs: int
    by: str = ""
    best: Judged | None = None


def best_run(production: Production, machine: Machine, moment: int) -> Best:
    """Of the last 30 days before the run at a moment (UTC ns): by OEE, and by scrap where no OEE is known.

    Runs of the same item are compared: of orders, or of what the item tag says; shifts where neither is known. Of them
    the newest 60 that took ten minutes at least and made five parts.
    """
    basis, item, now, earlier = _runs(production, machine, moment)
    found = list(_judged(production, machine, earlier))
    rated = [one for one in found if one.kpis.oee is not None]
    if rated:
        return Best(basis, item, now, len(found), "oee", max(rated, key=lambda one: one.kpis.oee or 0.0))
    clean = [one for one in found if one.kpis.scrap_ratio is not None]
    if clean:
        return Best(basis, item, now, len(found), "scrap", min(clean, key=lambda one: one.kpis.scrap_ratio or 0.0))
    return Best(basis, item, now, len(found))


def _runs(production: Production, machine: Machine, moment: int) -> tuple[str, str, Stretch, list[Stretch]]:
    """What it is compared by, the item, the run at the moment, and those before it, the newest first."""
    order = production.orders.at(machine.path, moment)
    if order is not None:
        runs = list(_of_orders(production, machine, order.item or None, moment))
        now = next(one for one in runs if one.start <= moment < one.end)
        return "order", order.item, now, [one for one in runs if one.end <= now.start]
    spans = _of_items(production, machine, moment)
    if spans:
        now = spans[-1]
        return "item", now.name, now, [one for one in reversed(spans[:-1]) if one.name == now.name]
    shifts = list(_shifts(production, moment))
    return "shift", "", shifts[0], shifts[1:]


def _of_orders(production: Production, machine: Machine, item: str | None, moment: int) -> Iterator[Stretch]:
    """Runs of orders of an item (None: of any) at a machine, the newest first."""
    found = []
    for order in production.orders.all():
        if order.covers(machine.path) and (item is None or order.item == item):
            for run in production.orders.runs(order.number):
                end = production.clock() + 1 if run.end is None else run.end
                if end > moment - LOOKED_BACK:
                    found.append(Stretch(order.number, run.start, end))
    yield from sorted(found, key=lambda one: -one.start)


def _of_items(production: Production, machine: Machine, moment: int) -> list[Stretch]:
    """From change to change of the item tag, the run at the moment last."""
    if not machine.production.item:
        return []
    tag = machine.tag(machine.production.item)
    table = production.reader.read([tag], moment - LOOKED_BACK, moment + 1, previous=True)
    said = list(zip(table.column("time").cast("int64").to_pylist(), table.column("text").to_pylist(), strict=True))
    changes = [one for one, before in zip(said, [(0, None), *said], strict=False) if one[1] != before[1]]
    spans = pairwise([*changes, (moment + 1, None)])
    return [Stretch(name, start, end) for (start, name), (end, _) in spans if name]


def _shifts(production: Production, moment: int) -> Iterator[Stretch]:
    at = moment
    for _ in range(_SHIFTS):
        span: Span = production.planned.shift(at)
        yield Stretch(f"{span.name} {span.day}".strip(), span.start, span.end)
        at = span.start - 1
        if at < moment - LOOKED_BACK:
            break


def _judged(production: Production, machine: Machine, runs: Sequence[Stretch]) -> Iterator[Judged]:
    long = [run for run in runs if run.end - run.start >= _SHORTEST][:_MOST]
    for run in long:
        (one,) = production.performance([machine.path], Span(run.start, run.end, "", ""))
        if one.counts.pq >= _FEWEST:
            yield Judged(run, kpis(one.times, one.counts), one.counts.pq)
