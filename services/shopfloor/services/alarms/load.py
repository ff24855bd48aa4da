"""The alarm load of an operator, beside the guide values of EEMUA 191 and ISA-18.2 (clause on monitoring)."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from shopfloor.services.alarms.alarm import Alarm
from shopfloor.services.alarms.state import PRESENT
from shopfloor.services.clock import to_ms

MINUTE: Final = 60 * 1_000_000_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
FLOOD_BEGINS: Final = 10
"""More than so many new alarms in ten minutes are a flood."""
FLOOD_ENDS: Final = 5
"""Below so many in ten minutes it is over."""
CHATTER: Final = 3
"""So many times in one minute."""
SHARES: Final = {"1": 5.0, "2": 15.0, "3": 80.0}
"""Per cent of alarms by priority."""
PER_HOUR: Final = 6.0
PEAK: Final = 10.0
"""Guide values of one operator: new alarms in an hour, and in the worst ten minutes."""
GUIDE: Final = {
    "per_10min": 1.0, "per_hour": PER_HOUR, "per_day": 150.0, "peak_10min": PEAK, "flood_percent": 1.0,
    "chattering": 0, "stale": 5, "top_10_percent": 5.0, "shares": SHARES,
}  # fmt: skip
_MOST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """An alarm that began to ask for attention at a time (UTC ns).

    `began`: when it came by its own clock, which tells whether it chatters; None where nothing came anew.
    """

    time: int
    key: str
    priority: int
    title: str
    asset: str | None
    began: int | None = None


def arrival(alarm: Alarm, now: int) -> Arrival:
    """An alarm that asks for attention now (UTC ns); an earlier occurrence that a device still keeps came before."""
    condition = alarm.condition
    began = None if condition.device.get("earlier") else alarm.since
    return Arrival(now, condition.alike, condition.priority, condition.title, condition.asset, began)


class Load:
    """Counts what asks for attention over a day, for one of `operators`. Safe from any thread."""

    def __init__(self, operators: int = 1, arrivals: Iterable[Arrival] = ()) -> None:
        self._operators = operators
        self._lock = threading.Lock()
        self._day: deque[Arrival] = deque(maxlen=_MOST)
        self._flood: int | None = None
        for arrival in arrivals:
            self.came(arrival)

    def came(self, arrival: Arrival) -> None:
        """An alarm began to ask; times must not go back."""
        with self._lock:
            self._day.append(arrival)
            self._judge(arrival.time)

    def flood(self, now: int) -> int | None:
        """Since when (UTC ns) there is a flood, or None."""
        with self._lock:
            self._judge(now)
            return self._flood

    def figures(self, now: int, standing: Iterable[Alarm]) -> dict[str, Any]:
        """The load now and over a day, times as epoch ms; `standing` are the alarms that people see."""
        flood = self.flood(now)
        with self._lock:
            day = [one for one in self._day if now - DAY < one.time <= now]
        tens = Counter((now - one.time) // (10 * MINUTE) for one in day)
        per = {name: sum(now - one.time < span for one in day) / self._operators for name, span in _SPANS.items()}
        top = Counter(one.key for one in day).most_common(10)
        return {
            **per,
            "operators": self._operators,
            "peak_10min": max(tens.values(), default=0) / self._operators,
            "flood_percent": 100 * sum(n / self._operators > FLOOD_BEGINS for n in tens.values()) / 144,
            "flood": None if flood is None else {"since": to_ms(flood), "new": sum(one.time >= flood for one in day)},
            "chattering": [_named(key, day, n) for key, n in _chattering(day, now).items()],
            "stale": [alarm.id for alarm in standing if alarm.state in PRESENT and now - alarm.since > DAY],
            "shares": _shares(day),
            "top": [_named(key, day, n) for key, n in top],
            "top_10_percent": 100 * sum(n for _, n in top) / len(day) if day else 0.0,
            "guide": GUIDE,
        }

    def _judge(self, now: int) -> None:
        """Begin or end the flood: a flood that began ends only when it is well below what began it."""
        while self._day and self._day[0].time <= now - DAY:
            self._day.popleft()
        recent = 0
        for one in reversed(self._day):
            if now - one.time >= 10 * MINUTE:
                break
            recent += 1
        if self._flood is None and recent > FLOOD_BEGINS * self._operators:
            self._flood = self._day[-recent].time
        elif self._flood is not None and recent < FLOOD_ENDS * self._operators:
            self._flood = None


_SPANS: Final = {"per_10min": 10 * MINUTE, "per_hour": HOUR, "per_day": DAY}


def _chattering(day: list[Arrival], now: int) -> dict[str, int]:
    """How often those came within the last hour that came three times within a minute of it, by their own clocks.

    What was hours on its way arrives at once and need not chatter; what asks again, or comes off the shelf, came once.
    """
    times: dict[str, set[int]] = {}
    for one in day:
        if one.began is not None and now - one.began < HOUR:
            times.setdefault(one.key, set()).add(one.began)
    return {key: len(each) for key, each in times.items() if _quick(sorted(each))}


def _quick(times: list[int]) -> bool:
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return any(sum(gaps[i : i + CHATTER - 1]) <= MINUTE for i in range(len(gaps) - CHATTER + 2))


def _shares(day: list[Arrival]) -> dict[str, float]:
    counts = Counter(one.priority for one in day)
    return {level: 100 * counts[int(level)] / len(day) if day else 0.0 for level in SHARES}


def _named(key: str, day: list[Arrival], count: int) -> dict[str, Any]:
    one = next(arrival for arrival in reversed(day) if arrival.key == key)
    return {"key": key, "title": one.title, "asset": one.asset, "priority": one.priority, "count": count}
