"""Alarms in a report: the load of the time beside the guide of ISA-18.2, and what still stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shopfloor.services.alarms import Asked, Transition
from shopfloor.services.alarms.load import FLOOD_BEGINS, FLOOD_ENDS, HOUR, MINUTE, PEAK, PER_HOUR
from shopfloor.services.alarms.state import PRESENT
from shopfloor.services.reports.document import AlarmLoad, Often, Standing
from shopfloor.services.reports.scope import Scope
from shopfloor.services.reports.told.services import Services

_ASKS = frozenset({"alarm-raised", "alarm-realarmed"})
_TEN = 10 * MINUTE


def alarm_load(of: Scope[Services]) -> AlarmLoad:
    """What asked for attention in the time: what was set aside does not count."""
    alarms, operators = of.services.alarms, of.services.config.alarms.operators
    came = [one for one in alarms.transitions(of.start, of.end, Asked()) if _asks(of, one)]
    times = sorted(one.time for one in came)
    hours = list(range(of.start, of.end, HOUR))
    tens = Counter((time - of.start) // _TEN for time in times)
    return AlarmLoad(
        count=len(came),
        operators=operators,
        per_hour=len(came) / operators / ((of.end - of.start) / HOUR),
        guide_per_hour=PER_HOUR,
        peak_10min=max(tens.values(), default=0) / operators,
        guide_peak=PEAK,
        priorities={str(level): sum(one.priority == level for one in came) for level in (1, 2, 3)},
        hours=(*hours, of.end),
        hourly=tuple(sum(hour <= time < hour + HOUR for time in times) for hour in hours),
        floods=floods(times, of.end, operators),
        often=_often(of, came),
        standing=_standing(of),
    )


def floods(times: Sequence[int], end: int, operators: int = 1) -> tuple[tuple[int, int], ...]:
    """Begin and end of each flood: above 10 new alarms in ten minutes, until below 5; `times` in order (UTC ns).

    >>> floods([n * MINUTE // 10 for n in range(12)], HOUR)
    ((0, 642000000000),)
    """
    found: list[tuple[int, int]] = []
    begun: int | None = None
    edges = sorted([(time, 1) for time in times] + [(time + _TEN, -1) for time in times])
    recent = 0
    for moment, step in edges:
        recent += step
        if begun is None and recent > FLOOD_BEGINS * operators:
            begun = next(time for time in times if time > moment - _TEN)
        elif begun is not None and recent < FLOOD_ENDS * operators:
            found.append((begun, min(moment, end)))
            begun = None
    return tuple(found)


def _asks(of: Scope[Services], one: Transition) -> bool:
    return one.kind in _ASKS and not one.aside and (of.holds(one.asset) if one.asset else not of.place)


def _often(of: Scope[Services], came: Sequence[Transition]) -> tuple[Often, ...]:
    count = Counter((one.priority, one.title, one.asset) for one in came)
    return tuple(Often(level, title, of.title(asset), n) for (level, title, asset), n in count.most_common(10))


def _standing(of: Scope[Services]) -> tuple[Standing, ...]:
    """Alarms that began before the end of the time and are still there when the report is made."""
    return tuple(
        Standing(alarm.condition.priority, alarm.condition.title, of.title(alarm.condition.asset or ""), alarm.since)
        for alarm in of.services.alarms.open()
        if alarm.state in PRESENT and alarm.since < of.end
        and (of.holds(alarm.condition.asset) if alarm.condition.asset else not of.place)
    )  # fmt: skip
