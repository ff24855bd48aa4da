"""How likely it is that a part must be seen to within a time, as far as a prediction says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shopfloor.services.historian.options import NS

UNITS: Final[Mapping[str, int]] = {"s": NS, "min": 60 * NS, "h": 3_600 * NS, "d": 86_400 * NS}
"""Units of a remaining life, in ns."""
BY_RUNNING: Final = frozenset({"tool_life"})
"""Targets whose life is used up only while the asset runs."""
CHANCES: Final[Mapping[str, int]] = {"anode_effect": 30 * 60 * NS}
"""Targets that tell the chance of an event, and how far ahead they look (ns)."""


@dataclass(frozen=True, slots=True)
class Risk:
    """The chance that it must be seen to by `end` (UTC ns) lies within [at_least, at_most]; None: nobody says."""

    end: int
    at_least: float | None
    at_most: float | None


@dataclass(frozen=True, slots=True)
class Left:
    """A remaining life by the clock: from now on at least `low`, about `value`, at most `high` ns; None: no end."""

    low: float
    value: float
    high: float | None


def left(said: Mapping[str, Any], share: float, now: int) -> Left | None:
    """The remaining life that a prediction tells, for an asset that runs a `share` of the time; None: it tells none.

    >>> said = {"target": "tool_life", "unit": "min", "value": 30.0, "low": 20.0, "high": 45.0, "time": 0.0}
    >>> (lambda life: (life.low / 6e10, life.value / 6e10))(left(said, 0.5, 0))
    (40.0, 60.0)
    """
    unit, value = UNITS.get(str(said["unit"])), said["value"]
    if unit is None or value is None:
        return None
    pace = share if said["target"] in BY_RUNNING else 1.0
    if pace <= 0.0:
        return None
    past = now - said["time"] * 1e6
    low = value if said["low"] is None else said["low"]
    high = None if said["high"] is None else max(said["high"] * unit / pace - past, 0.0)
    return Left(max(low * unit / pace - past, 0.0), max(value * unit / pace - past, 0.0), high)


def of_life(life: Left, coverage: float, now: int, end: int) -> Risk:
    """The chance that a life ends by `end`: an interval that holds a share `coverage` leaves half of the rest below it.

    >>> of_life(Left(10.0, 20.0, 40.0), 0.9, 0, 15)
    Risk(end=15, at_least=0.05, at_most=0.5)
    """
    tail = round((1.0 - coverage) / 2, 6)
    span = end - now
    if span < life.low:
        return Risk(end, 0.0, tail)
    if span < life.value:
        return Risk(end, tail, 0.5)
    if life.high is None or span < life.high:
        return Risk(end, 0.5, 1.0 - tail)
    return Risk(end, 1.0 - tail, 1.0)


def of_chance(said: Mapping[str, Any], end: int) -> Risk:
    """A chance within the time that the model looks ahead: by any later `end` it is at least that. Else nobody says."""
    horizon = CHANCES.get(str(said["target"]))
    if horizon is None or said["value"] is None or said["time"] * 1e6 + horizon > end:
        return Risk(end, None, None)
    return Risk(end, float(said["value"]), None)
