"""What the running server tells of the time of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shopfloor.services.reports.document import Account, Head, Told, Unit
from shopfloor.services.reports.period import Period, period
from shopfloor.services.reports.scope import Scope, scope
from shopfloor.services.reports.told.alarms import alarm_load
from shopfloor.services.reports.told.notes import advice, notes, setpoints
from shopfloor.services.reports.told.quality import charts
from shopfloor.services.reports.told.services import Services
from shopfloor.services.reports.told.thinking import drift, predictions

WORST: Final = 12
"""So many predictions are listed, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which report: the shift or day in which a moment (UTC ns) lies, of a part of the plant, and who asks."""

    unit: Unit
    at: int
    place: str = ""
    by: str = ""


def told(services: Services, asked: Asked) -> tuple[Head, Told]:
    """Ask all services; the same time asked again later may have more."""
    found = period(services.production.planned.calendar, asked.unit, asked.at)
    now = services.clock()
    of = scope(services, asked.place, found.start, min(found.end, max(now, found.start + 1)))
    said = predictions(of)
    return _head(of, found, asked.by, now), Told(
        accounts=_accounts(of),
        alarms=alarm_load(of),
        charts=charts(of),
        predictions=tuple(said[:WORST]),
        predicted=len(said),
        advice=advice(of),
        drift=drift(of),
        setpoints=setpoints(of),
        notes=notes(of),
    )


def _head(of: Scope[Services], found: Period, by: str, now: int) -> Head:
    plant = of.services.config.plant
    parts = of.place.split("/")
    title = of.title(of.place) if of.place in of.services.catalog.assets else " / ".join(parts[1:] or parts)
    return Head(
        plant.title, of.place, title, found.unit, found.shift, found.day, found.start, of.end, found.end <= now,
        plant.timezone, by, now,
    )  # fmt: skip


def _accounts(of: Scope[Services]) -> tuple[Account, ...]:
    words = ("gateway", "source", "accepted", "stored", "spooled", "dropped", "balanced", "sentence")
    return tuple(Account(*(getattr(one, word) for word in words)) for one in of.services.accounts())
