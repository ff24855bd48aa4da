"""Times and durations in the forms in which a notebook has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from shopfloor.plant import QuestionError
from shopfloor.plant.config.units import duration

Moment = datetime | np.datetime64 | str | int
"""A time: without a zone it is UTC; a text is ISO 8601; a whole number is UTC ns."""
Duration = timedelta | str | float
"""How long: as in "10min", a number of seconds, or a timedelta."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ns(moment: Moment) -> int:
    """UTC ns.

    >>> ns("2026-01-31T12:00:00+01:00"), ns(np.datetime64("2026-01-31T11:00")), ns(5)
    (1769857200000000000, 1769857200000000000, 5)
    """
    if isinstance(moment, np.datetime64):
        return int(moment.astype("datetime64[ns]").astype(np.int64))
    if isinstance(moment, str):
        return ns(_datetime(moment))
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000
    return moment


def length(name: str, said: Duration) -> int:
    """A duration in ns; what is none raises `QuestionError` with the name of the argument.

    >>> length("before", "10min"), length("after", 0.5)
    (600000000000, 500000000)
    """
    try:
        seconds = said.total_seconds() if isinstance(said, timedelta) else said
        found = round((duration(seconds) if isinstance(seconds, str) else float(seconds)) * 1e9)
    except (ValueError, TypeError, OverflowError) as problem:
        raise QuestionError(f"{name} is {said!r:.50}, expected a duration such as '10min', or seconds.") from problem
    if found < 0:
        raise QuestionError(f"{name} is {said!r:.50}, expected a duration of 0 or more.")
    return found


def _datetime(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as problem:
        raise QuestionError(f"{text[:50]!r} is no time: write it as in 2026-01-31T12:00:00Z.") from problem
