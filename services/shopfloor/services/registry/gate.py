"""The gate: what is known of a version beside the one it would replace, and which conditions of the policy hold.

The loss of a number is how far it lies outside the truth's interval (for an exact truth: the absolute error), that of a
probability its square (Brier). Losses are compared window by window; windows of one asset within an hour tell the same
story and count once, in the confidence bound, as their mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.counted import counted
from shopfloor.services.registry.scores import Floats, Labelled
from shopfloor.services.registry.words import Card

_STORY: Final = 3_600 * 10**9
_PROBABILITIES: Final = ("probability", "exceedance")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a promotion needs. `level` is the one-sided confidence of the loss bound, `errors` a share of windows."""

    least: int = 200
    level: float = 0.95
    coverage_within: float = 0.02
    latency_ms: float = 10.0
    errors: float = 0.01


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a version on a scope, beside version `against`; numbers that are not known are None.

    `difference` is its mean loss less that of `against`, within [`lower`, `upper`]: each a one-sided bound.
    `coverage` is, for numbers, the share of exact truths inside the interval; for probabilities `gap` is the mean
    said less the share that happened.
    """

    number: int
    against: int | None
    scope: str
    windows: int
    exact: int
    censored: int
    stories: int
    loss: float | None
    loss_against: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    coverage: float | None
    nominal: float
    gap: float | None
    latency_ms: float | None
    errors: float | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the policy: whether it holds, and what is known, as the rest of a sentence."""

    name: str
    holds: bool
    sentence: str


def losses(kind: str, said: Floats, low: Floats, high: Floats) -> Floats:
    """The loss of each window, [n]; truths lie within [low, high].

    >>> losses("regression", np.array([5.0, 9.0]), np.array([7.0, 7.0]), np.array([7.0, np.inf])).tolist()
    [2.0, 0.0]
    """
    outside = np.maximum(np.maximum(low - said, said - high), 0.0)
    return outside**2 if kind in _PROBABILITIES else outside


def weigh(
    card: Card, number: int, against: int | None, scope: str, rows: Labelled, health: tuple[int, int, float],
    policy: Policy,
) -> Evidence:  # fmt: skip
    """The evidence in labelled windows and in `Scores.health`."""
    exact = rows.truth_low == rows.truth_high
    own, other = _losses(card, rows), _losses(card, rows, rows.against)
    paired = ~np.isnan(rows.against)
    stories, lower, upper = bounds_of(card, rows, policy.level)
    windows, failed, p99 = health
    return Evidence(
        number, against, scope, len(rows), int((exact & paired if against else exact).sum()), int((~exact).sum()),
        stories, _mean(own[paired] if against else own), _mean(other[paired]), _mean((own - other)[paired]),
        lower, upper, _coverage(card, rows, exact), card.coverage, _gap(card, rows, exact),
        None if math.isnan(p99) else round(p99, 4), failed / windows if windows else None,
    )  # fmt: skip


def conditions(card: Card, evidence: Evidence, policy: Policy) -> list[Condition]:
    """Each condition of the policy, in the order in which they are said."""
    found = [
        Condition(
            "labels", evidence.exact >= policy.least,
            f"{counted(evidence.exact, 'labelled window')} of {policy.least} that are needed",
        ),
        _loss(evidence, policy),
        _keeps_its_word(card, evidence, policy),
        Condition(
            "latency", evidence.latency_ms is not None and evidence.latency_ms <= policy.latency_ms,
            f"a latency of {_number(evidence.latency_ms)} ms at the 99th percentile, allowed are {policy.latency_ms:g}",
        ),
        Condition(
            "errors", evidence.errors is not None and evidence.errors <= policy.errors,
            f"{_percent(evidence.errors)} of windows without a score, allowed are {policy.errors:.0%}",
        ),
    ]  # fmt: skip
    return [condition for condition in found if condition is not None]


def bounds(differences: Floats, level: float) -> tuple[float | None, float | None]:
    """One-sided lower and upper confidence bounds of the mean of independent differences [n], by Student's t.

    >>> lower, upper = bounds(np.array([-1.0, -2.0, -3.0, -2.0]), 0.95); round(lower, 2), round(upper, 2)
    (-2.96, -1.04)
    """
    n = len(differences)
    if n < 2:
        return None, None
    half = student(level, n - 1) * float(differences.std(ddof=1)) / math.sqrt(n)
    mean = float(differences.mean())
    return mean - half, mean + half


def bounds_of(card: Card, rows: Labelled, level: float) -> tuple[int, float | None, float | None]:
    """How many independent differences there are, and the one-sided bounds of their mean."""
    stories = _stories(rows, ~np.isnan(rows.against), _losses(card, rows) - _losses(card, rows, rows.against))
    return len(stories), *bounds(stories, level)


def student(level: float, freedom: int) -> float:
    """The quantile of Student's t (Hill's expansion of the normal quantile; within 1 % from 3 degrees of freedom on).

    >>> round(student(0.95, 10), 3), round(student(0.95, 10_000), 3)
    (1.812, 1.645)
    """
    z, f = NormalDist().inv_cdf(level), float(freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / f ** (i + 1) for i, term in enumerate(terms))


def misses(card: Card, rows: Labelled) -> NDArray[np.bool_]:
    """Of exact truths in the order in which they came: whether each fell outside its interval. Only for numbers."""
    exact = (rows.truth_low == rows.truth_high) & ~np.isnan(rows.low)
    if card.kind != "regression":
        return np.empty(0, np.bool_)
    outside: NDArray[np.bool_] = ((rows.truth_low < rows.low) | (rows.truth_low > rows.high))[exact]
    return outside


def _losses(card: Card, rows: Labelled, said: Floats | None = None) -> Floats:
    return losses(card.kind, rows.value if said is None else said, rows.truth_low, rows.truth_high)


def _stories(rows: Labelled, paired: NDArray[np.bool_], difference: Floats) -> Floats:
    """Mean differences of windows that tell the same story: one asset, one hour."""
    if not paired.any():
        return np.empty(0)
    keys = np.char.add(rows.asset[paired], (rows.window_end[paired] // _STORY).astype(np.str_))
    _, story = np.unique(keys, return_inverse=True)
    means: Floats = np.bincount(story, difference[paired]) / np.bincount(story)
    return means


def _coverage(card: Card, rows: Labelled, exact: NDArray[np.bool_]) -> float | None:
    if card.kind != "regression" or not exact.any():
        return None
    return float(1.0 - misses(card, rows).mean()) if len(misses(card, rows)) else None


def _gap(card: Card, rows: Labelled, exact: NDArray[np.bool_]) -> float | None:
    if card.kind not in _PROBABILITIES or not exact.any():
        return None
    return float(rows.value[exact].mean() - rows.truth_low[exact].mean())


def _loss(evidence: Evidence, policy: Policy) -> Condition | None:
    if evidence.against is None:
        return None
    known = evidence.upper is not None
    said = (
        f"a loss {_signed(evidence.difference)} beside version {evidence.against}'s, at {policy.level:.0%} confidence"
    )
    bound = f"{said} at most {_signed(evidence.upper)}, which must be below 0"
    nothing = f"no window yet that version {evidence.against} was compared on"
    return Condition("loss", known and (evidence.upper or 0.0) < 0.0, bound if known else nothing)


def _keeps_its_word(card: Card, evidence: Evidence, policy: Policy) -> Condition | None:
    if card.kind == "regression":
        off = None if evidence.coverage is None else evidence.coverage - evidence.nominal
        said = f"a coverage of {_percent(evidence.coverage)} where {_percent(evidence.nominal)} was promised"
    elif card.kind in _PROBABILITIES:
        off = evidence.gap
        said = f"probabilities {_percent(evidence.gap)} off what happened"
    else:
        return None
    holds = off is not None and abs(off) <= policy.coverage_within + 1e-12
    return Condition("coverage", holds, f"{said}, allowed are {policy.coverage_within:.0%} to either side")


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _signed(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.3g}"


def _percent(value: float | None) -> str:
    return "an unknown share" if value is None else f"{value:.1%}"
