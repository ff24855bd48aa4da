"""A report as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shopfloor.services.reports.document.alarms import AlarmLoad
from shopfloor.services.reports.document.charts import ChartLine, Trend
from shopfloor.services.reports.document.data import Account, Completeness
from shopfloor.services.reports.document.production import Downtime, EnergyLine, Oee, OrderLine, Reject
from shopfloor.services.reports.document.said import Advice, Drift, Noted, Predicted, Written

Unit = Literal["shift", "day"]


@dataclass(frozen=True, slots=True)
class Head:
    """Which time of which part of the plant, who asked, and when it was made. `end` is now while it is not over.

    `place` is a path, empty for the whole plant; `shift` is empty for a day, `day` its local date.
    """

    plant: str
    place: str
    title: str
    unit: Unit
    shift: str
    day: str
    start: int
    end: int
    over: bool
    timezone: str
    by: str
    made: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a server has in mind: alarms, charts, what models say, what people did, and its ledger.

    The rest of a report is found in the files of the store and in the records of production.
    """

    accounts: tuple[Account, ...]
    alarms: AlarmLoad
    charts: tuple[ChartLine, ...]
    predictions: tuple[Predicted, ...]
    predicted: int
    advice: tuple[Advice, ...]
    drift: tuple[Drift, ...]
    setpoints: tuple[Written, ...]
    notes: tuple[Noted, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report."""

    head: Head
    data: Completeness
    oee: Oee | None
    downtime: Downtime | None
    orders: tuple[OrderLine, ...]
    rejects: tuple[Reject, ...]
    alarms: AlarmLoad
    charts: tuple[ChartLine, ...]
    energy: tuple[EnergyLine, ...]
    predictions: tuple[Predicted, ...]
    predicted: int
    advice: tuple[Advice, ...]
    drift: tuple[Drift, ...]
    setpoints: tuple[Written, ...]
    notes: tuple[Noted, ...]
    trends: tuple[Trend, ...]
