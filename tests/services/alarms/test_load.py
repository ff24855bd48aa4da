"""The load of an operator: floods, chattering, stale alarms, shares."""

from __future__ import annotations

from shopfloor.services.alarms import Alarm, AlarmKind, Condition, State
from shopfloor.services.alarms.load import DAY, MINUTE, Arrival, Load

NOW = 1_800_000_000_000_000_000
S = 1_000_000_000


def came(load: Load, count: int, start: int, every: int = S, key: str = "", priority: int = 3) -> None:
    for i in range(count):
        load.came(Arrival(start + i * every, key or f"k{start}-{i}", priority, "Power high", "a"))


def test_a_flood_begins_above_ten_in_ten_minutes_and_ends_below_five() -> None:
    load = Load()
    came(load, 10, NOW)
    assert load.flood(NOW + 10 * S) is None, "ten are no flood"
    came(load, 1, NOW + 10 * S)
    assert load.flood(NOW + 10 * S) == NOW
    came(load, 5, NOW + 8 * MINUTE)
    assert load.flood(NOW + 15 * MINUTE) == NOW, "five in ten minutes: not over yet"
    assert load.figures(NOW + 15 * MINUTE, ())["flood"] == {"since": NOW / 1e6, "new": 16}
    assert load.flood(NOW + 18 * MINUTE) is None
    came(load, 6, NOW + 19 * MINUTE)
    assert load.flood(NOW + 19 * MINUTE + 6 * S) is None


def test_two_operators_bear_twice_as_much() -> None:
    load = Load(2)
    came(load, 20, NOW)
    assert load.flood(NOW + 20 * S) is None
    figures = load.figures(NOW + 20 * S, ())
    assert (figures["per_10min"], figures["per_hour"], figures["per_day"], figures["peak_10min"]) == (10, 10, 10, 10)
    came(load, 1, NOW + 20 * S)
    assert load.flood(NOW + 20 * S) == NOW


def test_three_times_in_a_minute_is_chattering() -> None:
    load = Load()
    came(load, 3, NOW, 30 * S, "chatters")
    came(load, 3, NOW + 10 * MINUTE, 31 * S, "often")
    figures = load.figures(NOW + 12 * MINUTE, ())
    assert [(one["key"], one["count"], one["title"]) for one in figures["chattering"]] == [
        ("chatters", 3, "Power high")
    ]
    assert {one["key"] for one in figures["top"]} == {"chatters", "often"}
    assert figures["top_10_percent"] == 100
    assert load.figures(NOW + 62 * MINUTE, ())["chattering"] == []


def test_what_stands_for_a_day_is_stale_and_what_is_older_than_a_day_is_not_counted() -> None:
    load = Load(1, [Arrival(NOW - DAY, "old", 1, "Old", None)])
    for priority, count in ((1, 1), (2, 3), (3, 16)):
        came(load, count, NOW, 0, priority=priority)
    condition = Condition("k", AlarmKind.LIMIT, "limit_high", 2, "t", "s")
    standing = [
        Alarm(1, condition, State.ACTIVE, NOW - DAY - 1),
        Alarm(2, condition, State.RETURNED, NOW - DAY - 1),
        Alarm(3, condition, State.ACKNOWLEDGED, NOW - DAY + 1),
    ]
    figures = load.figures(NOW, standing)
    assert (figures["stale"], figures["per_day"]) == ([1], 20)
    assert figures["shares"] == figures["guide"]["shares"] == {"1": 5, "2": 15, "3": 80}
    assert Load().figures(NOW, ())["shares"] == {"1": 0, "2": 0, "3": 0}
