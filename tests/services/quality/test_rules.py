"""Rules over a whole series, as it grows, in a slow way that is plain to read, and by a library that others keep."""

from __future__ import annotations

from itertools import pairwise

import capstat_core as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shopfloor.plant.config import RuleName
from shopfloor.services.quality.evaluate import Evaluator, Points
from shopfloor.services.quality.limits import Limits
from shopfloor.services.quality.rules import SETS, WORDS, RuleStream, violations
from shopfloor.services.quality.subgroups import Grouper
from subgroups_of import KINDS, chart, counts, measured

ALL = (*SETS[RuleName.NELSON], *SETS[RuleName.WESTERN_ELECTRIC])
STEPS = st.sampled_from([-3.5, -2.5, -1.5, -0.5, 0.0, 0.25, 0.5, 1.5, 2.5, 3.5, float("nan"), float("inf")])
SERIES = st.lists(STEPS, min_size=0, max_size=60)


def found(z: NDArray[np.float64], rule: RuleName) -> list[int]:
    return list(np.flatnonzero(violations(z, [rule])[:, 0]))


@pytest.mark.parametrize(
    ("rule", "z", "at"),
    [
        ("nelson-1", [0, 3.01, 3.0, -3.01], [1, 3]),
        ("nelson-2", [0.1] * 9 + [-0.1], [8]),
        ("nelson-3", [0, 1, 2, 3, 4, 5, 5], [5]),
        ("nelson-4", [0, 1] * 7, [13]),
        ("nelson-5", [2.1, 0, -2.1, 2.1, 2.2], [4]),
        ("nelson-6", [1.1, 1.2, 0, 1.3, 1.4, 0.5], [4]),
        ("nelson-7", [0.5, -0.5] * 7 + [0.9, 1.1], [14]),
        ("nelson-8", [1.5, -1.5] * 4, [7]),
        ("western-electric-2", [0, 2.5, 2.5], [2]),
        ("western-electric-4", [0.1] * 8, [7]),
    ],
)
def test_a_rule_is_broken_by_the_point_that_completes_its_pattern(rule: str, z: list[float], at: list[int]) -> None:
    assert found(np.array(z, np.float64), RuleName(rule)) == at
    assert set(WORDS) >= {str(name) for name in ALL}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-4, 4), min_size=16, max_size=60))
def test_the_library_finds_the_same(values: list[float]) -> None:
    """Behind five usual points: the library waits for a whole window, where four of the first four are four of five."""
    z = np.array([0.0] * 5 + values)
    location = oracle.ControlChart("x", tuple(z), oracle.ControlLimits(center=0.0, lower=-3.0, upper=3.0), ())
    theirs = {(v.rule_set, v.rule, v.point) for v in oracle.nelson_rules(location)}
    ours = {("nelson", int(rule[-1]), i) for rule in SETS[RuleName.NELSON] for i in found(z, rule)}
    assert ours == theirs
    theirs = {(v.rule, v.point) for v in oracle.western_electric_rules(location)}
    assert {(int(rule[-1]), i) for rule in SETS[RuleName.WESTERN_ELECTRIC] for i in found(z, rule)} == theirs


@settings(max_examples=80, deadline=None)
@given(SERIES, st.lists(st.integers(1, 20), max_size=8))
def test_a_stream_gives_the_same_bits(values: list[float], cuts: list[int]) -> None:
    z = np.array(values, np.float64)
    stream = RuleStream(ALL)
    parts = np.split(z, [int(cut) for cut in np.cumsum(cuts) if cut < len(z)])
    told = np.concatenate([stream.add(part) for part in parts])
    assert np.array_equal(told, violations(z, ALL))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 2**32), st.lists(st.integers(1, 40), max_size=6))
def test_a_chart_gives_the_same_bits_whole_and_as_values_arrive(kind: str, seed: int, cuts: list[int]) -> None:
    """From values to points: any cut of the values, the same subgroups, lines, sums and rules."""
    random = np.random.default_rng(seed)
    values = random.normal(10, 1, 90)
    rows = measured(values) if "inspected" not in KINDS[kind] and kind != "c" else counts(random.poisson(4, 90), values)
    limits, section = Limits(0.4 if kind in {"p", "np"} else 10.0, 0.9), chart(kind)
    whole_groups = Grouper(section).add(rows)
    whole = Evaluator(section, limits).add(whole_groups)
    grouper, evaluator = Grouper(section), Evaluator(section, limits)
    edges = [0, *[int(cut) for cut in np.cumsum(cuts) if cut < 90], 90]
    parts = [rows.cut(slice(one, other)) for one, other in pairwise(edges)]
    told = Points.joined([evaluator.add(grouper.add(part)) for part in parts])  # type: ignore[arg-type]
    assert len(whole) > 10
    for name in ("time", "value", "second", "n", "z", "lower", "upper", "spread", "spread_upper", "broken"):
        one, other = getattr(whole, name), getattr(told, name)
        assert one.tobytes() == other.tobytes(), name


def test_what_does_not_vary_is_in_control_until_it_does() -> None:
    points = Evaluator(chart("i-mr", rules=["nelson-1"]), Limits(5.0, 0.0)).add(Grouper(chart("i-mr")).add(measured([5, 5, 6])))  # fmt: skip  # noqa: E501
    assert points.z.tolist() == [0.0, 0.0, 1e6]
    assert points.broken[:, 0].tolist() == [False, False, True]
