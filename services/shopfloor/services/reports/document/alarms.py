"""Alarms in a report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Often:
    """An alarm and how often it came."""

    priority: int
    title: str
    asset: str
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that is there, since when."""

    priority: int
    title: str
    asset: str
    since: int


@dataclass(frozen=True, slots=True)
class AlarmLoad:
    """Alarms that asked for attention: how many, for one of `operators` an hour, and in the worst ten minutes.

    `hourly[i]` came in the hour after `hours[i]`; `floods` are pairs of begin and end.
    """

    count: int
    operators: int
    per_hour: float
    guide_per_hour: float
    peak_10min: float
    guide_peak: float
    priorities: dict[str, int]
    hours: tuple[int, ...]
    hourly: tuple[int, ...]
    floods: tuple[tuple[int, int], ...]
    often: tuple[Often, ...]
    standing: tuple[Standing, ...]
