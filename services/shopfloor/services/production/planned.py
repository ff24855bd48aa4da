"""The shift calendar: which span is meant, and in which parts of it production is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import PlantConfig
from shopfloor.services.historian import Calendar, Shift
from shopfloor.services.historian.options import NS

_MINUTE: Final = 60 * NS


@dataclass(frozen=True, slots=True)
class Span:
    """A time of production (UTC ns, end exclusive); `name` is that of its shift, `day` its local date."""

    start: int
    end: int
    name: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class PlannedTime:
    """Shifts, planned breaks (minutes after midnight, and how long in ns) and closed days of a plant."""

    calendar: Calendar
    breaks: Sequence[tuple[int, int]] = field(default_factory=tuple)
    closed: frozenset[date] = frozenset()

    @classmethod
    def of(cls, config: PlantConfig) -> PlannedTime:
        """The calendar of a plant file."""
        plant = config.plant
        shifts = tuple(Shift(shift.name, shift.minutes) for shift in plant.shifts)
        breaks = tuple((one.minutes, round(one.lasts * NS)) for one in plant.breaks)
        return cls(Calendar(plant.timezone, shifts), breaks, frozenset(map(date.fromisoformat, plant.closed)))

    def shift(self, moment: int) -> Span:
        """The shift in which a moment (UTC ns) lies; its local day, where the plant has no shifts."""
        unit = "shift" if self.calendar.shifts else "day"
        periods = self.calendar.periods(unit, moment, moment + 1)
        start, end = int(periods.edges[0]), int(periods.edges[1])
        return Span(start, end, periods.names[0] if periods.names else "", str(self._local(start).date()))

    def open(self, start: int, end: int) -> NDArray[np.int64]:
        """The parts of [start, end) in which production is planned: rows of start and end, apart and in order.

        >>> lunch = PlannedTime(Calendar(), [(720, 30 * _MINUTE)], frozenset({date(1970, 1, 2)}))
        >>> (lunch.open(0, 48 * 60 * _MINUTE) // _MINUTE).tolist()
        [[0, 720], [750, 1440]]
        """
        shut = sorted(span for span in self._shut(start, end) if span[0] < end and span[1] > start)
        rows, at = [], start
        for first, last in shut:
            if first > at:
                rows.append((at, first))
            at = max(at, last)
        if at < end:
            rows.append((at, end))
        return np.array(rows, np.int64).reshape(-1, 2)

    def _shut(self, start: int, end: int) -> list[tuple[int, int]]:
        """Breaks and closed days that may touch a span."""
        first, last = self._local(start).date(), self._local(end).date()
        days = [first + timedelta(n) for n in range(-1, (last - first).days + 2)]
        spans = [(self._utc(day, 0), self._utc(day + timedelta(1), 0)) for day in days if day in self.closed]
        for day in days:
            begins = [(self._utc(day, minutes), lasts) for minutes, lasts in self.breaks]
            spans += [(begin, begin + lasts) for begin, lasts in begins]
        return spans

    def _local(self, moment: int) -> datetime:
        return datetime.fromtimestamp(moment // NS, ZoneInfo(self.calendar.timezone))

    def _utc(self, day: date, minutes: int) -> int:
        local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=self._zone())
        return int(local.timestamp()) * NS

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.calendar.timezone)
