"""The plant's calendar: shifts, hours, days, weeks and months in its own time zone, as spans of UTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import QuestionError
from shopfloor.services.historian.options import DAY, HOUR, NS

UNITS: Final = ("shift", "hour", "day", "week", "month")
MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Shift:
    """It begins at a local time (minutes after midnight) and lasts until the next one begins."""

    name: str
    begins: int


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """Spans of time that follow each other: `edges[i]` to `edges[i + 1]` (UTC ns); `names` are those of the shifts."""

    edges: NDArray[np.int64]
    names: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """The longest bucket, counted from the first edge, of which every period but the last is a multiple."""
        lengths = np.diff(self.edges)
        return math.gcd(*lengths[:-1].tolist()) if len(lengths) > 1 else int(lengths[0])


@dataclass(frozen=True, slots=True)
class Calendar:
    """A time zone (IANA name) and the shifts of every day, earliest first."""

    timezone: str = "UTC"
    shifts: Sequence[Shift] = field(default_factory=tuple)

    def periods(self, unit: str, start: int, end: int) -> Periods:
        """The whole shifts, hours, days, weeks (from Monday) or months that [start, end) touches.

        Days of 23 and 25 hours are as long as they are. `QuestionError` where there are no shifts, or too many periods.

        >>> berlin = Calendar("Europe/Berlin")
        >>> np.diff(berlin.periods("day", 1_774_656_000 * NS, 1_774_900_000 * NS).edges) // HOUR
        array([24, 23, 24])
        """
        if unit not in UNITS:
            raise QuestionError(f"{unit[:50]!r} is no part of a calendar: choose {', '.join(UNITS)}.")
        if (end - start) // (HOUR if unit in {"hour", "shift"} else DAY) > MOST:
            raise QuestionError(f"{unit}s of so long a time are more than {MOST}: ask for less time at once.")
        begins = _begins(unit, self._date(start), self._date(end - 1), self.shifts)
        edges = np.array([self._utc(moment) for moment, _ in begins], np.int64)
        edges = np.minimum.accumulate(edges[::-1])[::-1]
        kept = np.append(np.diff(edges) > 0, True)  # where clocks go forward, a shift may have no time at all
        edges, names = edges[kept], [name for (_, name), keep in zip(begins, kept.tolist(), strict=True) if keep]
        if unit == "hour":
            edges = _hours(edges)
        first, last = np.searchsorted(edges, start, "right") - 1, np.searchsorted(edges, end, "left")
        return Periods(edges[first : last + 1], tuple(names[first:last]) if unit == "shift" else ())

    def shift_at(self, moment: int) -> str:
        """The name of the shift at a time (UTC ns); "" where there are no shifts."""
        return self.periods("shift", moment, moment + 1).names[0] if self.shifts else ""

    def _date(self, moment: int) -> date:
        return datetime.fromtimestamp(moment // NS, ZoneInfo(self.timezone)).date()

    def _utc(self, moment: datetime) -> int:
        return int(moment.replace(tzinfo=ZoneInfo(self.timezone)).timestamp()) * NS


def every(length: int, start: int, end: int) -> Periods:
    """Spans of `length` ns counted from `start`; the last one ends at `end`."""
    count = -(-(end - start) // length)
    if count > MOST:
        raise QuestionError(f"{count} periods are more than {MOST}: ask for longer ones, or for less time at once.")
    return Periods(np.append(start + np.arange(count) * length, end))


def _begins(unit: str, first: date, last: date, shifts: Sequence[Shift]) -> list[tuple[datetime, str]]:
    """Local moments at which periods begin: from one before `first` to one after `last`."""
    if unit == "month":
        count = (last.year - first.year) * 12 + last.month - first.month + 2
        months = [first.year * 12 + first.month - 1 + n for n in range(count)]
        return [(datetime(n // 12, n % 12 + 1, 1), "") for n in months]  # noqa: DTZ001 (local, see _utc)
    if unit == "week":
        monday = first - timedelta(first.weekday())
        return [(_local(monday + timedelta(7 * n)), "") for n in range((last - monday).days // 7 + 2)]
    if unit == "shift" and not shifts:
        raise QuestionError("The plant file names no shifts: write them under plant.shifts, or ask for hours or days.")
    each = [(shift.begins, shift.name) for shift in shifts] if unit == "shift" else [(0, "")]
    days = [first + timedelta(n) for n in range(-1, (last - first).days + 3)]
    return [(_local(day, minutes), name) for day in days for minutes, name in each]


def _local(day: date, minutes: int = 0) -> datetime:
    return datetime.combine(day, time(minutes // 60, minutes % 60))


def _hours(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every hour, counted from each local midnight."""
    return np.concatenate([*(np.arange(a, b, HOUR) for a, b in pairwise(days.tolist())), days[-1:]])
