"""The outlook: every prediction that says what must be seen to, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shopfloor.models.parts import NEAR_END
from shopfloor.services.historian.options import NS
from shopfloor.services.maintenance.risk import CHANCES, UNITS, Left, Risk, left, of_chance, of_life
from shopfloor.services.registry import Card

_CONDITIONS: Final = ("probability", "distance", "novelty")
_NEAR_END: Final = int(NEAR_END * 60 * NS)
DUES: Final = ("now", "hour", "")


@dataclass(frozen=True, slots=True)
class Ends:
    """UTC ns: now, and the ends of the next hour, of this shift, of the next 24 hours and of the next seven days."""

    now: int
    hour: int
    shift: int
    day: int
    week: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """One prediction of one asset with the risks that follow; `said` is as `GET predictions` shows it."""

    said: Mapping[str, Any]
    kind: str
    left: Left | None
    risks: tuple[Risk, Risk, Risk, Risk]

    @property
    def due(self) -> str:
        """`now`: at the level to act at, or at most 15 minutes are left; `hour`: it is likely within the hour."""
        if self.said["status"] == "act" or (self.left is not None and self.left.value <= _NEAR_END):
            return "now"
        return "hour" if (self.risks[0].at_least or 0.0) >= 0.5 else ""

    @property
    def rank(self) -> tuple[Any, ...]:
        """The order of urgency: what is due, the risks of hour, shift, day and week, the life left, then the status."""
        status = str(self.said["status"])
        likely = tuple(-(risk.at_least or 0.0) for risk in self.risks)
        rest = self.left.value if self.left else float("inf")
        order = {"act": 0, "watch": 1, "ok": 2}.get(status, 3)
        return DUES.index(self.due), *likely, rest, order, self.said["asset"], self.said["target"]


def kind_of(said: Mapping[str, Any], card: Card | None) -> str:
    """`life`, `chance` (of an event soon), `condition`, or nothing where a prediction is about something else.

    >>> kind_of({"target": "tool_life", "unit": "min"}, None), kind_of({"target": "dimension", "unit": "um"}, None)
    ('life', '')
    """
    if said["target"] in CHANCES:
        return "chance"
    if card is None:
        return "life" if said["unit"] in UNITS else ""
    if card.kind == "regression":
        return "life" if card.unit in UNITS else ""
    return "condition" if card.kind in _CONDITIONS else ""


def outlook(said: Mapping[str, Any], kind: str, share: float, ends: Ends) -> Outlook:
    """What a prediction means for the times ahead of an asset that runs a `share` of the time."""
    times = (ends.hour, ends.shift, ends.day, ends.week)
    life = left(said, share, ends.now) if kind == "life" else None
    if life is None:
        risks = [of_chance(said, end) for end in times]
    else:
        risks = [of_life(life, float(said["coverage"]), ends.now, end) for end in times]
    return Outlook(said, kind, life, (risks[0], risks[1], risks[2], risks[3]))


def ranked(several: Iterable[Outlook]) -> list[Outlook]:
    """The most urgent first."""
    return sorted(several, key=lambda one: one.rank)
