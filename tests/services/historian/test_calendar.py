"""Periods of the plant's calendar: right on the days on which clocks change, as Python's own zones say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.plant import QuestionError
from shopfloor.services.historian import Calendar, Shift
from shopfloor.services.historian.read.calendar import UNITS, every

S = 1_000_000_000
HOUR = 3600 * S
SHIFTS = (Shift("early", 360), Shift("late", 840), Shift("night", 1320))
ZONES = ["UTC", "Europe/Berlin", "Asia/Shanghai", "Asia/Kolkata", "America/Santiago", "Australia/Lord_Howe"]
moments = st.integers(1_546_300_800, 1_893_456_000).map(lambda at: at * S)


def ns(year: int, month: int, day: int, hour: int = 0, zone: str = "Europe/Berlin") -> int:
    return int(datetime(year, month, day, hour, tzinfo=ZoneInfo(zone)).timestamp()) * S


def label(unit: str, at: int, zone: str) -> object:
    """The period that a moment lies in, found without any edges."""
    local = datetime.fromtimestamp(at // S, UTC).astimezone(ZoneInfo(zone))
    if unit == "shift":
        minutes = local.hour * 60 + local.minute
        name = [shift.name for shift in (SHIFTS[-1], *SHIFTS) if shift.begins <= minutes or shift is SHIFTS[-1]]
        current = name[0] if minutes < SHIFTS[0].begins else [s.name for s in SHIFTS if s.begins <= minutes][-1]
        return (local - timedelta(minutes=SHIFTS[0].begins)).replace(tzinfo=None).date(), current
    if unit == "week":
        return local.isocalendar()[:2]
    return (local.year, local.month) if unit == "month" else local.date()


@given(st.sampled_from(ZONES), st.sampled_from(["day", "week", "month", "shift"]), moments, st.integers(1, 90 * 24))
def test_every_moment_lies_in_the_period_that_its_local_time_names(
    zone: str, unit: str, start: int, hours: int
) -> None:
    end = start + hours * HOUR
    periods = Calendar(zone, SHIFTS).periods(unit, start, end)
    edges = periods.edges
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    assert (np.diff(edges) > 0).all()
    for at, (low, high) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        assert label(unit, low, zone) == label(unit, high - S, zone)
        assert label(unit, low - S, zone) != label(unit, low, zone)
        if unit == "shift":
            assert periods.names[at] == label(unit, low, zone)[1]  # type: ignore[index]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (6, 1, 24)])
def test_a_day_is_as_long_as_it_is(month: int, day: int, hours: int) -> None:
    calendar = Calendar("Europe/Berlin", SHIFTS)
    noon = ns(2026, month, day, 12)
    edges = calendar.periods("day", noon, noon + 1).edges
    assert edges.tolist() == [ns(2026, month, day), ns(2026, month, day) + hours * HOUR]
    assert len(calendar.periods("hour", *edges.tolist()).edges) == hours + 1
    night = calendar.periods("shift", ns(2026, month, day, 1) - 1, ns(2026, month, day, 1))
    assert night.names == ("night",)
    assert int(np.diff(night.edges)[0]) == (8 + hours - 24) * HOUR


def test_a_shift_whose_time_is_skipped_is_left_out() -> None:
    calendar = Calendar("Europe/Berlin", (Shift("a", 0), Shift("b", 150), Shift("c", 180)))
    periods = calendar.periods("shift", ns(2026, 3, 29), ns(2026, 3, 30))
    assert periods.names == ("a", "c")
    assert periods.edges.tolist() == [ns(2026, 3, 29), ns(2026, 3, 29, 3), ns(2026, 3, 30)]
    assert (np.diff(periods.edges) > 0).all()


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(QuestionError, match="names no shifts: write them under plant"):
        Calendar().periods("shift", 0, HOUR)
    with pytest.raises(QuestionError, match="'fortnight' is no part of a calendar: choose shift, hour, day"):
        Calendar().periods("fortnight", 0, HOUR)
    with pytest.raises(QuestionError, match="are more than 100000"):
        every(S, 0, 10**6 * S)
    assert set(UNITS) == {"shift", "hour", "day", "week", "month"}
