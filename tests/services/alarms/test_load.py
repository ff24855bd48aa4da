"""The load of an operator: floods, chattering, stale alarms, shares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shopfloor.plant.condition import Told
from shopfloor.services.alarms import Alarm, AlarmKind, Aside, AsideKind, Change, Condition, State
from shopfloor.services.alarms.book import Book
from shopfloor.services.alarms.device import report
from shopfloor.services.alarms.following import Following
from shopfloor.services.alarms.load import DAY, MINUTE, Arrival, Load, arrival
from shopfloor.services.alarms.pending import Pending
from shopfloor.services.alarms.store import AlarmStore
from shopfloor.services.alarms.transitions import arrivals

NOW = 1_800_000_000_000_000_000
S = 1_000_000_000


def came(load: Load, count: int, start: int, every: int = S, key: str = "", priority: int = 3) -> None:
    for i in range(count):
        time = start + i * every
        load.came(Arrival(time, key or f"k{start}-{i}", priority, "Power high", "a", time))


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


RAISED = Condition("limit:a/power:high:15", AlarmKind.LIMIT, "limit_high", 2, "Power high", "It is high.", asset="a")
DOOR = Told(
    "plc", "i=2253", NOW, id="s=Door", event="01", name="DoorOpen", subject="CNC-01", message="Door open", severity=700,
    retain=True, active=True, acked=False, asset="a",
)  # fmt: skip


def limit(*seconds: float) -> list[Change]:
    return [
        change for at in seconds for change in (Change(RAISED.key, at_(at), RAISED), Change(RAISED.key, at_(at + 1)))
    ]


def door(*seconds: float, new: bool = False, seen: bool = False, **more: Any) -> list[Told]:
    """The door opens and closes; each time as a new condition, seen in between."""
    said = []
    for at in seconds:
        told = replace(DOOR, id=f"s=Door{at}" if new else DOOR.id, time=at_(at), **more)
        over = replace(told, active=False, time=at_(at + 1))
        said += [told, replace(over, acked=True, retain=False) if seen else over]
    return said


def at_(seconds: float) -> int:
    return NOW + int(seconds * S)


@pytest.mark.parametrize(
    ("said", "times"),
    [
        pytest.param(limit(0, 20, 40), 3, id="a limit, in one batch"),
        pytest.param(limit(0, 70, 140), 0, id="a limit, an hour on its way: it comes at once and does not chatter"),
        pytest.param(door(0, 20, 40), 3, id="a condition that nobody acknowledges"),
        pytest.param(door(0, 20, 40, seen=True), 3, id="a condition that is over each time"),
        pytest.param(door(0, 20, 40, new=True), 3, id="a device that names each occurrence anew"),
        pytest.param(door(0, 20, 40, confirmed=False), 3, id="one that waits for a confirmation"),
        pytest.param(door(0, 20), 0, id="twice is not three times"),
        pytest.param(door(0, 70, 140, seen=True), 0, id="with every part, each longer than a minute"),
        pytest.param([*door(0), *door(20, branch="i=1"), *door(40, branch="i=2")], 0, id="branches came before"),
        pytest.param([*door(0), *door(20, subject="CNC-02", new=True), *door(40)], 0, id="two machines"),
    ],
)
def test_what_comes_three_times_in_a_minute_chatters_by_its_own_clock(
    tmp_path: Path, said: list[Change | Told], times: int
) -> None:
    now = NOW + 10 * MINUTE
    load = Load()
    with AlarmStore(tmp_path) as store:
        book = Book(store, heard=lambda alarm, _: load.came(arrival(alarm, now)))
        following = Following(book, store, {}, Pending(lambda: now))
        for one in said:
            if isinstance(one, Change):
                book.apply(one)
            else:
                following.follow(report(one, now, {}))
        for alarm in book.open_alarms():
            for _ in range(3):
                aside = Aside(alarm.condition.key, AsideKind.SHELVED, "Anna", now, None, "Known.", alarm.id)
                book.set_aside(aside, alarm)
                book.put_back(alarm, AsideKind.SHELVED, now)
        restarted = Load(1, arrivals(store.database, NOW - DAY))
    for one in (load, restarted):
        assert [found["count"] for found in one.figures(now, ())["chattering"]] == ([times] if times else [])
