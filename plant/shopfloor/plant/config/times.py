"""Times of day and days as people write them in a plant file: `'06:00'`, `'2026-10-01'`."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final

from pydantic import BeforeValidator

_CLOCK: Final = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


def minutes(time: str) -> int:
    """A time of day in minutes after midnight.

    >>> minutes("06:30")
    390
    """
    return int(time[:2]) * 60 + int(time[3:])


def _time_of_day(value: object) -> object:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError(f"{value!r} is no time of day: write hours and minutes in quotes, as in '06:00'")
    return value


def _day(value: object) -> object:
    try:
        return str(date.fromisoformat(str(value)))
    except ValueError as problem:
        raise ValueError(f"{value!r} is no day: write it in quotes, as in '2026-10-01'") from problem


TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]
Day = Annotated[str, BeforeValidator(_day)]
