"""Which reports of the plant file are due: each shift or day once, also after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shopfloor.plant.config import ReportSection
from shopfloor.services.historian import Calendar
from shopfloor.services.historian.options import DAY, NS
from shopfloor.services.reports.period import Period, ended

LATEST: Final = 7 * DAY
"""What ended longer ago is not made any more when a server comes back."""


@dataclass(frozen=True, slots=True)
class Due:
    """A report that must be made now."""

    report: ReportSection
    period: Period


def due(report: ReportSection, calendar: Calendar, since: int, now: int) -> list[Due]:
    """The reports of whole periods that ended after `since` and whose time has come, the oldest first (UTC ns).

    >>> daily = ReportSection(name="day", every="day", at="06:00")
    >>> [one.period.day for one in due(daily, Calendar(), 0, 2 * DAY + 5 * 3600 * NS)]
    ['1970-01-01']
    """
    periods = ended(calendar, report.every, max(since, now - LATEST), now)
    wanted = [one for one in periods if not report.shifts or one.shift in report.shifts]
    return [Due(report, one) for one in wanted if moment(report, calendar, one) <= now]


def moment(report: ReportSection, calendar: Calendar, period: Period) -> int:
    """When the report of a period is made: some time after its end, or at a local time of the next day.

    A local time that a change of clocks leaves out is the moment at which it would have been before the change.
    """
    if report.minutes is None:
        return period.end + round(report.after * NS)
    zone = ZoneInfo(calendar.timezone)
    day = datetime.fromisoformat(period.day) + timedelta(1)
    local = day.replace(hour=report.minutes // 60, minute=report.minutes % 60, tzinfo=zone)
    return max(int(local.timestamp()) * NS, period.end)
