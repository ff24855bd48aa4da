"""Constants, limits and capability against printed tables, worked examples, and a library that others keep."""

from __future__ import annotations

import math
from typing import Any

import capstat_core as oracle
import numpy as np
import pytest
from scipy import stats
from shopfloor.plant.config import ChartKind, SpecificationSection
from shopfloor.services.quality import constants
from shopfloor.services.quality.capability import actual, capability, potential
from shopfloor.services.quality.evaluate import Evaluator
from shopfloor.services.quality.limits import Limits, freedom, location, phase_one, sigma_within, spread
from shopfloor.services.quality.normal import anderson_darling, chi_square_quantile
from shopfloor.services.quality.weighted import cusum_arl, ewma, ewma_arl
from subgroups_of import chart, counted, groups

# AIAG, Statistical Process Control, 2nd edition (2005), appendix E: n, A2, D3, D4, A3, B3, B4, d2, c4.
AIAG = [
    (2, 1.880, 0.000, 3.267, 2.659, 0.000, 3.267, 1.128, 0.7979),
    (3, 1.023, 0.000, 2.574, 1.954, 0.000, 2.568, 1.693, 0.8862),
    (4, 0.729, 0.000, 2.282, 1.628, 0.000, 2.266, 2.059, 0.9213),
    (5, 0.577, 0.000, 2.114, 1.427, 0.000, 2.089, 2.326, 0.9400),
    (6, 0.483, 0.000, 2.004, 1.287, 0.030, 1.970, 2.534, 0.9515),
    (7, 0.419, 0.076, 1.924, 1.182, 0.118, 1.882, 2.704, 0.9594),
    (8, 0.373, 0.136, 1.864, 1.099, 0.185, 1.815, 2.847, 0.9650),
    (9, 0.337, 0.184, 1.816, 1.032, 0.239, 1.761, 2.970, 0.9693),
    (10, 0.308, 0.223, 1.777, 0.975, 0.284, 1.716, 3.078, 0.9727),
]  # fmt: skip


@pytest.mark.parametrize("row", AIAG, ids=lambda row: f"n={row[0]}")
def test_constants_are_those_of_the_printed_table(row: tuple[float, ...]) -> None:
    n = int(row[0])
    ours = (
        constants.a2(n), *constants.ranges(n), constants.a3(n), *constants.deviations(n), constants.d2(n),
        constants.c4(n),
    )  # fmt: skip
    assert np.abs(np.array(ours) - row[1:]).max() < 0.00101, ours
    theirs = [f(n) for f in (oracle.d2, oracle.d3, oracle.c4)]
    assert [constants.d2(n), constants.d3(n), constants.c4(n)] == pytest.approx(theirs, abs=1e-9)


def test_a_subgroup_of_one_has_no_constant() -> None:
    with pytest.raises(ValueError, match="2 to 1000 values were expected"):
        constants.d2(1)


@pytest.mark.parametrize(
    ("kind", "of"), [("xbar-r", oracle.xbar_r_chart), ("xbar-s", oracle.xbar_s_chart), ("i-mr", oracle.i_mr_chart)]
)
def test_shewhart_limits_agree_with_the_library(kind: str, of: Any) -> None:
    values = np.random.default_rng(3).normal(50, 2, (30, 5) if kind != "i-mr" else 150)
    mine = groups(kind, values)
    limits = phase_one(ChartKind(kind), mine)
    pair = of(values)
    for lines, theirs in (
        (location(ChartKind(kind), limits, mine.n), pair.location.limits),
        (spread(ChartKind(kind), limits, mine.n), pair.dispersion.limits),
    ):
        assert (lines.lower[0], lines.centre[0], lines.upper[0]) == pytest.approx(
            (theirs.lower, theirs.center, theirs.upper), rel=1e-9
        )
    points = Evaluator(chart(kind), limits).add(mine)
    assert points.value == pytest.approx(np.asarray(pair.location.points))
    moved = points.spread[~np.isnan(points.spread)]
    assert moved == pytest.approx(np.asarray(pair.dispersion.points))


# Montgomery, Introduction to Statistical Quality Control, 7th edition; the same data come with R's qcc.
ORANGE = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
BOARDS = [21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16, 19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19, 17, 15]
CLOTH = [14, 12, 20, 11, 7, 10, 21, 16, 19, 23]
ROLLS = [10, 8, 13, 10, 9.5, 10, 12, 10.5, 12, 12.5]


@pytest.mark.parametrize(
    ("kind", "wrong", "inspected", "expected"),
    [
        pytest.param("p", ORANGE, 50, (0.0524, 0.2313, 0.4102), id="p: orange juice cans, example 7.1"),
        pytest.param("np", ORANGE, 50, (2.62, 11.567, 20.51), id="np: the same cans, example 7.2"),
        pytest.param("c", BOARDS, 1, (6.48, 19.85, 33.21), id="c: printed circuit boards, example 7.3"),
        pytest.param("u", CLOTH, ROLLS, (0.291, 1.423, 2.555), id="u: dyed cloth, example 7.5"),
    ],
)
def test_attribute_limits_are_those_of_the_book(
    kind: str, wrong: list[float], inspected: Any, expected: tuple[float, ...]
) -> None:
    rows = counted(wrong, inspected)
    lines = location(ChartKind(kind), phase_one(ChartKind(kind), rows), rows.n)
    assert (lines.lower[0], lines.centre[0], lines.upper[0]) == pytest.approx(expected, abs=0.006)


def test_out_of_control_cans_are_found_and_a_share_stays_a_share() -> None:
    rows = counted(ORANGE, 50)
    points = Evaluator(chart("p", rules=["nelson-1"]), phase_one(ChartKind.P, rows)).add(rows)
    assert (np.flatnonzero(points.broken[:, 0]) + 1).tolist() == [15, 23]
    few = location(ChartKind.P, Limits(0.9, math.nan), np.array([2.0]))
    assert (few.lower[0] > 0, few.upper[0]) == (True, 1.0)


def test_ewma_is_that_of_the_nist_handbook() -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4: weight 0.3, mean 50, s 2.0539."""
    data = [
        52,
        47,
        53,
        49.3,
        50.1,
        47,
        51,
        50.1,
        51.2,
        50.5,
        49.6,
        47.6,
        49.9,
        51.3,
        47.8,
        51.2,
        52.6,
        52.4,
        53.6,
        52.1,
    ]
    told = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52, 50.05, 49.38,
            49.92, 50.73, 51.23, 51.94, 51.99]  # fmt: skip
    rows = groups("ewma", data)
    points = Evaluator(chart("ewma", weight=0.3), Limits(50.0, 2.0539)).add(rows)
    assert points.value == pytest.approx(told, abs=0.01)
    assert (points.lower[-1], points.upper[-1]) == pytest.approx((47.4115, 52.5884), abs=0.003)
    assert not points.broken.any()
    theirs = oracle.ewma_chart(np.array(data), lmbda=0.3, target=50.0, sigma=2.0539)
    assert points.value == pytest.approx(np.asarray(theirs.points))


def test_cusum_agrees_with_the_library() -> None:
    data = np.random.default_rng(5).normal(0.6, 1.0, 60)
    points = Evaluator(chart("cusum"), Limits(0.0, 1.0)).add(groups("cusum", data))
    theirs = oracle.cusum_chart(data, target=0.0, sigma=1.0)
    assert points.value == pytest.approx(np.asarray(theirs.upper))
    assert np.abs(points.second) == pytest.approx(np.abs(theirs.lower))
    assert points.broken.any()


@pytest.mark.parametrize(
    ("decision", "told"),
    [(4.0, (168, 74.2, 26.6, 13.3, 8.38, 4.75, 3.34)), (5.0, (465, 139, 38.0, 17.0, 10.4, 5.75, 4.01))],
)
def test_run_lengths_of_a_cusum_are_the_published_ones(decision: float, told: tuple[float, ...]) -> None:
    """Montgomery, table 9.3, k = 0.5."""
    shifts = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
    assert [cusum_arl(0.5, decision, shift) for shift in shifts] == pytest.approx(told, rel=0.01)


@pytest.mark.parametrize(
    ("weight", "width", "told"),
    [(0.4, 3.054, (500, 224, 71.2, 28.4, 14.3)), (0.1, 2.814, (500, 106, 31.3, 15.9, 10.3))],
)
def test_run_lengths_of_an_ewma_are_the_published_ones(weight: float, width: float, told: tuple[float, ...]) -> None:
    """Lucas and Saccucci, Technometrics 32 (1990), table 3."""
    shifts = (0.0, 0.25, 0.5, 0.75, 1.0)
    assert [ewma_arl(weight, width, shift) for shift in shifts] == pytest.approx(told, rel=0.012)


def test_capability_agrees_with_the_library_and_the_handbook() -> None:
    values = np.random.default_rng(7).normal(16, 2, (40, 5))
    spec = SpecificationSection(low=8, high=20, target=14)
    rows = groups("xbar-r", values)
    said = capability(values.ravel(), spec, sigma_within(ChartKind.XBAR_R, rows), freedom(ChartKind.XBAR_R, rows))
    theirs = oracle.capability(values, lsl=8, usl=20, within_method="rbar_d2")
    assert said is not None
    ours = [index.value for index in (said.cp, said.cpk, said.pp, said.ppk) if index]
    assert ours == pytest.approx([theirs.cp, theirs.cpk, theirs.pp, theirs.ppk], rel=1e-9)
    assert said.normal
    # NIST/SEMATECH 6.1.6: USL 20, LSL 8, mean 16, s 2
    book = potential(spec, 2.0, 99), actual(spec, 16.0, 2.0, 100, 99)
    assert [index.value for index in book if index] == pytest.approx([1.0, 2 / 3])


@pytest.mark.parametrize(("share", "n"), [(0.025, 5), (0.975, 5), (0.5, 60), (0.005, 200), (0.995, 2000)])
def test_chi_square_is_that_of_scipy(share: float, n: int) -> None:
    assert chi_square_quantile(share, n) == pytest.approx(stats.chi2.ppf(share, n), rel=1e-9)


def test_intervals_cover_what_they_promise() -> None:
    """2,000 processes whose Cp and Cpk are known: 95 % of the intervals hold them, within 1.5 points."""
    random = np.random.default_rng(11)
    spec, n = SpecificationSection(low=-4, high=5), 100
    held = np.zeros(2)
    for values in random.normal(0, 1, (2000, n)):
        sigma, mean = float(np.std(values, ddof=1)), float(np.mean(values))
        cp, cpk = potential(spec, sigma, n - 1), actual(spec, mean, sigma, n, n - 1)
        assert cp
        assert cpk
        held += (cp.low <= 1.5 <= cp.high, cpk.low <= 4 / 3 <= cpk.high)
    assert np.abs(held / 2000 - 0.95).max() < 0.015, held


def test_freedom_is_what_simulation_says() -> None:
    """The relative variance of each estimate of sigma is 1 / (2 f), within a tenth."""
    random = np.random.default_rng(13)
    for kind, shape in (("xbar-r", (20, 5)), ("xbar-s", (20, 5)), ("i-mr", (100,))):
        made = [groups(kind, random.normal(0, 1, shape)) for _ in range(1500)]
        spread_of = np.var([sigma_within(ChartKind(kind), rows) for rows in made])
        assert 1 / (2 * spread_of) == pytest.approx(freedom(ChartKind(kind), made[0]), rel=0.1), kind


def test_a_skewed_process_is_said_not_to_be_normal() -> None:
    random = np.random.default_rng(17)
    odd, usual = random.exponential(1, 200), random.normal(0, 1, 200)
    assert (anderson_darling(odd) or 0.0) < 0.001
    assert anderson_darling(usual) == pytest.approx(oracle.anderson_darling(usual).p_value, rel=1e-6)
    assert anderson_darling(usual[:5]) is None
    assert anderson_darling(np.ones(50)) is None


def test_ewma_skips_what_is_missing() -> None:
    assert ewma(np.array([1.0, np.nan, 1.0]), 0.5).tolist() == [0.5, 0.5, 0.75]
