"""A report put together."""

from __future__ import annotations

from dataclasses import dataclass

from shopfloor.services.reports.document import Head, Report, Unit
from shopfloor.services.reports.gather.alarms import alarm_load
from shopfloor.services.reports.gather.completeness import completeness
from shopfloor.services.reports.gather.made import downtime, energy, oee, orders, performances, rejects
from shopfloor.services.reports.gather.notes import advice, notes, setpoints
from shopfloor.services.reports.gather.quality import charts
from shopfloor.services.reports.gather.services import Scope, Services, scope
from shopfloor.services.reports.gather.thinking import drift, predictions
from shopfloor.services.reports.gather.trends import trends
from shopfloor.services.reports.period import Period, period

WORST = 12
"""So many predictions are listed, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which report: the shift or day in which a moment (UTC ns) lies, of a part of the plant, and who asks."""

    unit: Unit
    at: int
    place: str = ""
    by: str = ""


def gather(services: Services, asked: Asked) -> Report:
    """Ask all services; the same time asked again later may have more values."""
    found = period(services.production.planned.calendar, asked.unit, asked.at)
    now = services.clock()
    of = scope(services, asked.place, found.start, min(found.end, max(now, found.start + 1)))
    said, parts = predictions(of), performances(of)
    return Report(
        head=_head(of, found, asked.by, now),
        data=completeness(of),
        oee=oee(of, found, parts),
        downtime=downtime(of),
        orders=orders(of),
        rejects=rejects(of),
        alarms=alarm_load(of),
        charts=charts(of),
        energy=energy(of, parts),
        predictions=tuple(said[:WORST]),
        predicted=len(said),
        advice=advice(of),
        drift=drift(of),
        setpoints=setpoints(of),
        notes=notes(of),
        trends=trends(of),
    )


def _head(of: Scope, found: Period, by: str, now: int) -> Head:
    plant = of.services.config.plant
    parts = of.place.split("/")
    title = of.title(of.place) if of.place in of.services.catalog.assets else " / ".join(parts[1:] or parts)
    return Head(
        plant.title, of.place, title, found.unit, found.shift, found.day, found.start, of.end, found.end <= now,
        plant.timezone, by, now,
    )  # fmt: skip
