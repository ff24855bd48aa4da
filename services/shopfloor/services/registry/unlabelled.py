"""What a model whose truth nobody learns (how unusual an asset is) may be promoted on: how it behaved on whole days.

A day of an asset is healthy when no alarm of the plant came on it. On healthy days the model should be silent, as often
as it promised; on the others it should say something, at least as often as the one that it would replace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from shopfloor.plant.counted import counted
from shopfloor.services.registry.anytime import most_likely_at_most
from shopfloor.services.registry.scores import Scores
from shopfloor.services.registry.words import Card, Condition

UNLABELLED: Final = ("distance", "novelty")
"""The kinds of such models."""
LEAST_HEALTHY: Final = 100
LEAST_ALARMED: Final = 5
"""Days of assets, healthy and with an alarm of the plant, before anything is concluded."""
TIMES: Final = 2.0
"""Surely no more than this times the false alarms that were promised."""
DAY: Final = 86_400 * 10**9
SPAN: Final = 30 * DAY
_WHOLE: Final = 0.5

Alarmed = Callable[[int, int], Iterable[tuple[str, int]]]
"""Assets and moments (UTC ns) of the plant's own alarms that began in [start, end)."""
Days = dict[tuple[str, int], bool]
"""By asset and day since 1970: whether the model alarmed."""


@dataclass(frozen=True, slots=True)
class AssetDays:
    """Days of assets that both versions judged: healthy ones, and on how many of them this version alarmed.

    `alarmed`: those with an alarm of the plant, of which this version `found` some and the other `found_against`.
    `promised` is the share of healthy days with an alarm that the model promised, None when it did not.
    """

    healthy: int
    false: int
    alarmed: int
    found: int
    found_against: int | None
    promised: float | None


def asset_days(
    scores: Scores, card: Card, number: int, against: int | None, scope: str, since: int, alarmed: Alarmed
) -> AssetDays:  # fmt: skip
    """The days of the last month, without those that a version saw less than half of."""
    own = _days(scores, card, number, scope, since)
    other = None if against is None else _days(scores, card, against, scope, since)
    both = own.keys() if other is None else own.keys() & other.keys()
    border = min((day for _, day in both), default=0) * DAY
    end = (max((day for _, day in both), default=0) + 1) * DAY
    sick = {(asset, moment // DAY) for asset, moment in alarmed(border, end)} & both
    healthy = both - sick
    return AssetDays(
        len(healthy), sum(own[day] for day in healthy), len(sick), sum(own[day] for day in sick),
        None if other is None else sum(other[day] for day in sick), card.alarms_per_day,
    )  # fmt: skip


def of_days(days: AssetDays, against: int | None, level: float) -> list[Condition]:
    """The conditions of a promotion.

    >>> of_days(AssetDays(200, 12, 9, 7, 6, 0.1), 1, 0.95)[1].sentence
    'an alarm on 6.0% of healthy days, at 95% confidence on at most 13.5%, allowed are 20.0%'
    """
    return [
        Condition(
            "days", days.healthy >= LEAST_HEALTHY,
            f"{counted(days.healthy, 'healthy day')} of assets of {LEAST_HEALTHY} that are needed",
        ),
        _silence(days, level),
        _agreement(days, against),
    ]  # fmt: skip


def _silence(days: AssetDays, level: float) -> Condition:
    if days.promised is None:
        return Condition("false alarms", holds=False, sentence="no promise of how rarely it alarms on a healthy day")
    share = days.false / days.healthy if days.healthy else 0.0
    upper, most = most_likely_at_most(days.false, days.healthy, level), TIMES * days.promised
    said = f"an alarm on {share:.1%} of healthy days, at {level:.0%} confidence on at most {upper:.1%}"
    return Condition("false alarms", upper <= most, f"{said}, allowed are {most:.1%}")


def _agreement(days: AssetDays, against: int | None) -> Condition:
    if days.alarmed < LEAST_ALARMED:
        said = f"{counted(days.alarmed, 'day')} with an alarm of the plant of {LEAST_ALARMED} that are needed"
        return Condition("agreement", holds=False, sentence=said)
    said = f"it spoke on {days.found} of {days.alarmed} days with an alarm of the plant"
    if days.found_against is None:
        return Condition("agreement", days.found > 0, said)
    return Condition(
        "agreement", days.found >= max(days.found_against, 1), f"{said}, version {against} on {days.found_against}"
    )


def _days(scores: Scores, card: Card, number: int, scope: str, since: int) -> Days:
    """The days of which at least half of what a full one has was scored."""
    if card.alarm_level is None:
        return {}
    seen = {key: one for key, one in scores.days(card.name, number, scope, SPAN).items() if key[1] >= since // DAY}
    full = max((n for n, _ in seen.values()), default=0)
    return {key: most >= card.alarm_level for key, (n, most) in seen.items() if n >= _WHOLE * full}
