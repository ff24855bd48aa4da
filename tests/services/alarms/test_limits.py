"""Limit alarms over batches: delay, deadband, bad values, old values, any cut into batches."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopfloor.plant import Batch, Kind, Limit, Sample, Tag
from shopfloor.plant.tag import Side
from shopfloor.services.alarms.alarm import Change
from shopfloor.services.alarms.limits import LimitWatch, Rule

S = 1_000_000_000
NOW = 1_800_000_000 * S
PATH = "d/f/m/c/cnc-01/power"
BAD = 0x8031_0000


def watch(*limits: Limit, raised: tuple[str, ...] = ()) -> LimitWatch:
    tag = Tag("power", unit="kW", title="Power", decimals=1, limits=limits)
    return LimitWatch([Rule(PATH, "d/f/m/c/cnc-01", "CNC 01", tag, limit) for limit in limits], raised)


def judge(limits: LimitWatch, values: list[float], start: int = 0, quality: int = 0) -> list[tuple[str, int]]:
    """Feed one value a second; what changed, and at which second."""
    samples = [Sample(PATH, NOW + (start + i) * S, v, quality) for i, v in enumerate(values)]
    batch = limits.concerns(Batch.of(samples, Kind.FLOAT), NOW)
    if batch is None:
        return []
    return [("raise" if c.condition else "return", (c.time - NOW) // S) for c in limits.judge(batch)]


HIGH = Limit(Side.HIGH, 15.0)


@pytest.mark.parametrize(
    ("limit", "values", "expected"),
    [
        (HIGH, [14, 15, 16, 17, 15, 14], [("raise", 2), ("return", 4)]),
        (HIGH, [16, 14, 16, 14], [("raise", 0), ("return", 1), ("raise", 2), ("return", 3)]),
        (Limit(Side.HIGH, 15.0, deadband=1.0), [16, 14.5, 16, 14.0, 14.5], [("raise", 0), ("return", 3)]),
        (Limit(Side.HIGH, 15.0, delay_s=2.0), [16, 16, 14, 16, 16, 16, 16], [("raise", 5)]),
        (Limit(Side.HIGH, 15.0, delay_s=2.0), [16, 16], []),
        (Limit(Side.LOW, 5.0), [6, 5, 4, 4, 5], [("raise", 2), ("return", 4)]),
        (Limit(Side.LOW, 5.0, deadband=1.0), [4, 5.5, 6], [("raise", 0), ("return", 2)]),
        (HIGH, [16, float("nan"), 16], [("raise", 0)]),
        (HIGH, [14, 14, 14], []),
    ],
)
def test_raise_and_return(limit: Limit, values: list[float], expected: list[tuple[str, int]]) -> None:
    assert judge(watch(limit), values) == expected
    one_by_one = watch(limit)
    assert [c for i, v in enumerate(values) for c in judge(one_by_one, [v], i)] == expected


@given(st.lists(st.floats(10, 20), min_size=1, max_size=40), st.lists(st.integers(1, 39), max_size=5))
def test_any_cut_into_batches_says_the_same(values: list[float], cuts: list[int]) -> None:
    limit = Limit(Side.HIGH, 15.0, deadband=0.7, delay_s=3.0, off_delay_s=2.0)
    whole, parts, said = watch(limit), watch(limit), []
    edges = sorted({0, len(values), *(c for c in cuts if c < len(values))})
    for start, end in itertools.pairwise(edges):
        said += judge(parts, values[start:end], start)
    assert said == judge(whole, values)


def test_an_alarm_returns_when_its_value_stayed_back_for_the_off_delay() -> None:
    limit = Limit(Side.HIGH, 15.0, off_delay_s=3.0)
    values = [16, 14, 14, 16, 14, 14, 14, 14, 16, 14]
    expected = [("raise", 0), ("return", 7), ("raise", 8)]
    assert judge(watch(limit), values) == expected
    one_by_one = watch(limit)
    assert [c for i, v in enumerate(values) for c in judge(one_by_one, [v], i)] == expected
    assert list(one_by_one.tick(NOW + 11 * S)) == []
    (change,) = one_by_one.tick(NOW + 20 * S)
    assert (change.time, change.condition) == (NOW + 12 * S, None), "a value that stays back need not be sent again"


def test_a_value_that_stays_beyond_is_raised_when_its_delay_is_over() -> None:
    limits = watch(Limit(Side.HIGH, 15.0, delay_s=5.0))
    assert judge(limits, [16]) == []
    assert list(limits.tick(NOW + 4 * S)) == []
    (change,) = limits.tick(NOW + 6 * S)
    assert change.time == NOW + 5 * S
    assert change.condition is not None
    assert change.condition.value == 16
    assert list(limits.tick(NOW + 9 * S)) == []


def test_bad_and_old_values_and_texts_raise_nothing() -> None:
    limits = watch(HIGH)
    assert judge(limits, [99, 99], quality=BAD) == []
    assert judge(limits, [99, 99, 3], start=-300) == []
    assert limits.concerns(Batch.of([Sample(PATH, NOW, "x")]), NOW) is None
    assert limits.concerns(Batch.of([], Kind.FLOAT), NOW) is None
    assert limits.concerns(Batch.of([Sample("d/f/m/c/cnc-02/power", NOW, 99.0)]), NOW) is None


def test_an_old_value_that_still_holds_is_an_alarm() -> None:
    limits = watch(HIGH)
    assert judge(limits, [3, 99, 3, 98], start=-300) == [("raise", -297)]
    assert judge(limits, [97, 3], start=-900) == []


def test_a_value_that_comes_late_changes_nothing() -> None:
    limits = watch(HIGH)
    assert judge(limits, [14], start=10) == []
    assert judge(limits, [99], start=5) == []


def test_several_limits_of_one_tag_are_judged_each() -> None:
    limits = watch(HIGH, Limit(Side.HIGH, 20.0, priority=1), Limit(Side.LOW, 5.0))
    samples = [Sample(PATH, NOW + i * S, v) for i, v in enumerate([16.0, 21.0, 4.0])]
    batch = limits.concerns(Batch.of(samples, Kind.FLOAT), NOW)
    assert batch is not None
    changes = sorted(limits.judge(batch), key=lambda c: c.time)
    assert [c.condition.priority if c.condition else None for c in changes] == [2, 1, None, None, 2]


def test_what_was_raised_before_a_restart_returns_after_it() -> None:
    limits = watch(HIGH, raised=(f"limit:{PATH}:high:15",))
    assert judge(limits, [16, 14]) == [("return", 1)]


def test_the_words_say_what_why_and_what_to_do() -> None:
    limits = watch(Limit(Side.HIGH, 15.0, priority=1, advice="Reduce the feed."))
    batch = limits.concerns(Batch.of([Sample(PATH, NOW, 15.64)]), NOW)
    assert batch is not None
    (change,) = limits.judge(batch)
    condition = change.condition
    assert condition is not None
    assert condition.title == "Power high"
    assert condition.sentence == "Power of CNC 01 is 15.6 kW, above its limit of 15 kW."
    assert (condition.code, condition.advice, condition.tag) == ("limit_high", "Reduce the feed.", PATH)


@contextmanager
def counted_steps() -> Iterator[list[int]]:
    """The instructions of Python that run meanwhile."""
    counted = [0]

    def step(frame: FrameType, event: str, _: object) -> Any:
        frame.f_trace_opcodes = True
        counted[0] += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        yield counted
    finally:
        sys.settrace(before)


def test_a_large_batch_is_judged_without_a_loop_over_its_values() -> None:
    """A hundred times as many values take no more steps of Python: none is looked at alone."""
    tag = Tag("power", limits=(HIGH,))
    names = tuple(f"d/f/m/c/cnc-{i}/power" for i in range(1_000))
    limits = LimitWatch([Rule(name, name[:-6], name, tag, HIGH) for name in names])
    changes: list[Change] = []

    def steps(count: int, begin: int) -> int:
        index = (np.arange(count) % 1_000).astype(np.int32)
        values = np.where(index == 7, 99.0, 10.0)
        batch = Batch(names, index, begin + np.arange(count) * 1_000, values, np.zeros(count, np.uint32))
        with counted_steps() as counted:
            rows = limits.concerns(batch, begin)
            assert rows is not None
            changes.extend(limits.judge(rows))
        return counted[0]

    steps(2_000, NOW)
    assert steps(200_000, NOW + 20 * 10**9) < 1.1 * steps(2_000, NOW + 10 * 10**9)
    assert len(changes) == 1
