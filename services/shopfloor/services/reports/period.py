"""Which time a report is about: the shift or the local day of a moment, and those before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shopfloor.services.historian import Calendar
from shopfloor.services.historian.options import NS
from shopfloor.services.reports.document import Unit


@dataclass(frozen=True, slots=True)
class Period:
    """A whole shift or day: [start, end) in UTC ns, the shift's name ("" of a day), and the local date it began on."""

    unit: Unit
    start: int
    end: int
    shift: str
    day: str


def period(calendar: Calendar, unit: Unit, moment: int) -> Period:
    """The shift or day in which a moment (UTC ns) lies; a day where the plant has no shifts.

    >>> night = period(Calendar("Europe/Berlin"), "day", 1_774_740_000 * NS)  # clocks go forward on that day
    >>> night.day, (night.end - night.start) // (3600 * NS)
    ('2026-03-29', 23)
    """
    kind: Unit = unit if calendar.shifts else "day"
    found = calendar.periods(kind, moment, moment + 1)
    start, end = int(found.edges[0]), int(found.edges[1])
    return Period(kind, start, end, found.names[0] if found.names else "", _date(calendar, start))


def before(calendar: Calendar, unit: Unit, start: int, count: int) -> list[int]:
    """The edges of the shifts or days before a moment (UTC ns) at which one begins, and that moment.

    >>> [edge // (86_400 * NS) for edge in before(Calendar(), "day", 5 * 86_400 * NS, 2)]
    [3, 4, 5]
    """
    edges = [start]
    for _ in range(count):
        edges.insert(0, period(calendar, unit, edges[0] - 1).start)
    return edges


def ended(calendar: Calendar, unit: Unit, since: int, now: int) -> list[Period]:
    """Every shift or day that ended in (since, now], the oldest first.

    >>> [one.day for one in ended(Calendar(), "day", 3600 * NS, 2 * 86_400 * NS)]
    ['1970-01-01', '1970-01-02']
    """
    found, moment = [], since
    while (one := period(calendar, unit, moment)).end <= now:
        found.append(one)
        moment = one.end
    return found


def _date(calendar: Calendar, moment: int) -> str:
    return str(datetime.fromtimestamp(moment // NS, ZoneInfo(calendar.timezone)).date())
