"""How the alarm load and the messages about alarms are told."""

from __future__ import annotations

from pydantic import BaseModel


class FloodView(BaseModel):
    """More alarms than an operator can follow: since when (epoch ms), and how many since then."""

    since: float
    new: int


class OftenView(BaseModel):
    """An alarm that comes often."""

    key: str
    title: str
    asset: str | None
    priority: int
    count: int


class GuideView(BaseModel):
    """Guide values of EEMUA 191 and ISA-18.2: what an operator can follow."""

    per_10min: float
    per_hour: float
    per_day: float
    peak_10min: float
    flood_percent: float
    chattering: int
    stale: int
    top_10_percent: float
    shares: dict[str, float]


class LoadView(BaseModel):
    """Alarms that began to ask for attention, for one operator: now, and over a day.

    `stale` are numbers of alarms that last for more than a day; `shares` are per cent by priority.
    """

    per_10min: float
    per_hour: float
    per_day: float
    operators: int
    peak_10min: float
    flood_percent: float
    flood: FloodView | None
    chattering: list[OftenView]
    stale: list[int]
    shares: dict[str, float]
    top: list[OftenView]
    top_10_percent: float
    guide: GuideView


class NotificationsView(BaseModel):
    """Messages to people outside: routes of the plant file, messages that wait, those sent in a month, the trouble."""

    routes: int
    waiting: int
    sent: int
    problem: str
