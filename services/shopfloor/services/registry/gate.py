"""The gate: what is known of a version beside the one it would replace, and which conditions of the policy hold.

The loss of a number is how far it lies outside the truth's interval (for an exact truth: the absolute error), that of a
probability its square (Brier); a wrong class, and an alarm that is wrong or missing, cost 1. Losses are compared window
by window; windows of one asset within an hour tell the same story and count once, in the confidence bound, as their
mean, in the order of their hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.counted import counted
from shopfloor.services.registry.anytime import bounds
from shopfloor.services.registry.scores import NOTHING, Floats, Labelled, Scores
from shopfloor.services.registry.unlabelled import UNLABELLED, Alarmed, AssetDays, asset_days, of_days
from shopfloor.services.registry.words import Card, Condition, Version

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

    `difference` is its mean loss less that of `against`, within [`lower`, `upper`]: each a one-sided bound that holds
    however often it is looked at (`registry.anytime`). `days` is there for a model whose truth nobody learns.
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
    days: AssetDays | None


def losses(kind: str, said: Floats, low: Floats, high: Floats, level: float = 1.0) -> Floats:
    """The loss of each window, [n]; truths lie within [low, high]. From `level` on a distance alarms.

    >>> losses("regression", np.array([5.0, 9.0]), np.array([7.0, 7.0]), np.array([7.0, np.inf])).tolist()
    [2.0, 0.0]
    >>> losses("novelty", np.array([0.3, 1.2]), np.array([0.0, 0.0]), np.array([0.0, 0.0])).tolist()
    [0.0, 1.0]
    """
    if kind in UNLABELLED:
        said = np.where(np.isnan(said), np.nan, said >= level)
    outside = np.maximum(np.maximum(low - said, said - high), 0.0)
    if kind == "classes":
        return np.where(np.isnan(outside), np.nan, outside > 0.0)
    return outside**2 if kind in _PROBABILITIES else outside


def weigh(
    card: Card, number: int, against: int | None, scope: str, rows: Labelled, newest: Labelled,
    health: tuple[int, int, float], policy: Policy, *, days: AssetDays | None = None,
) -> Evidence:  # fmt: skip
    """The evidence in labelled windows and in `Scores.health`: losses are of `rows`, coverage is of the `newest`."""
    exact = rows.truth_low == rows.truth_high
    own, other = _losses(card, rows), _losses(card, rows, rows.against)
    paired = ~np.isnan(rows.against)
    stories, lower, upper = bounds_of(card, rows, policy.level)
    windows, failed, p99 = health
    known = max(len(rows), len(newest))
    return Evidence(
        number, against, scope, known, int((exact & paired if against else exact).sum()), int((~exact).sum()), stories,
        _mean(own[paired] if against else own), _mean(other[paired]), _mean((own - other)[paired]),
        lower, upper, _coverage(card, newest), card.coverage, _gap(card, newest),
        None if math.isnan(p99) else round(p99, 4), failed / windows if windows else None, days,
    )  # fmt: skip


def gathered(
    scores: Scores, version: Version, against: int | None, scope: str, policy: Policy, *, since: int, alarmed: Alarmed
) -> Evidence:
    """The evidence of a version beside another, of windows that ended at or after `since` (UTC ns)."""
    card, asked = version.card, (version.name, version.number, against, scope, since)
    health = scores.health(version.name, version.number, scope, since)
    newest = scores.labelled(*asked)
    if card.kind in UNLABELLED and not len(newest):
        days = asset_days(scores, card, version.number, against, scope, since, alarmed)
        return weigh(card, version.number, against, scope, NOTHING, NOTHING, health, policy, days=days)
    return weigh(card, version.number, against, scope, scores.trial(*asked), newest, health, policy)


def conditions(card: Card, evidence: Evidence, policy: Policy) -> list[Condition]:
    """Each condition of the policy, in the order in which they are said."""
    of_truths = [
        Condition(
            "labels", evidence.exact >= policy.least,
            f"{counted(evidence.exact, 'labelled window')} of {policy.least} that are needed",
        ),
        _loss(evidence, policy),
        _keeps_its_word(card, evidence, policy),
    ]  # fmt: skip
    found = [
        *(of_days(evidence.days, evidence.against, policy.level) if evidence.days else of_truths),
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


def bounds_of(card: Card, rows: Labelled, level: float) -> tuple[int, float | None, float | None]:
    """How many independent differences there are, and the one-sided bounds of their mean."""
    stories = _stories(rows, ~np.isnan(rows.against), _losses(card, rows) - _losses(card, rows, rows.against))
    return len(stories), *bounds(stories, level)


def misses(card: Card, rows: Labelled) -> NDArray[np.bool_]:
    """Of exact truths in the order in which they came: whether each fell outside its interval. Only for numbers."""
    exact = (rows.truth_low == rows.truth_high) & ~np.isnan(rows.low)
    if card.kind != "regression":
        return np.empty(0, np.bool_)
    outside: NDArray[np.bool_] = ((rows.truth_low < rows.low) | (rows.truth_low > rows.high))[exact]
    return outside


def _losses(card: Card, rows: Labelled, said: Floats | None = None) -> Floats:
    said = rows.value if said is None else said
    return losses(card.kind, said, rows.truth_low, rows.truth_high, card.alarm_level or 1.0)


def _stories(rows: Labelled, paired: NDArray[np.bool_], difference: Floats) -> Floats:
    """Mean differences of windows that tell the same story (one asset, one hour), in the order of the hours."""
    if not paired.any():
        return np.empty(0)
    _, asset = np.unique(rows.asset[paired], return_inverse=True)
    _, story = np.unique((rows.window_end[paired] // _STORY) * (asset.max() + 1) + asset, return_inverse=True)
    means: Floats = np.bincount(story, difference[paired]) / np.bincount(story)
    return means


def _coverage(card: Card, rows: Labelled) -> float | None:
    missed = misses(card, rows)
    return float(1.0 - missed.mean()) if len(missed) else None


def _gap(card: Card, rows: Labelled) -> float | None:
    exact = rows.truth_low == rows.truth_high
    if card.kind not in _PROBABILITIES or not exact.any():
        return None
    return float(rows.value[exact].mean() - rows.truth_low[exact].mean())


def _loss(evidence: Evidence, policy: Policy) -> Condition | None:
    if evidence.against is None:
        return None
    said = f"a loss {_signed(evidence.difference)} beside version {evidence.against}'s"
    if evidence.difference is None:
        sentence = f"no window yet that version {evidence.against} was compared on"
    elif evidence.upper is None:
        sentence = f"{said}, but too few machine-hours for a bound at {policy.level:.0%} confidence"
    else:
        bound = f"at {policy.level:.0%} confidence at most {_signed(evidence.upper)}, which must be below 0"
        sentence = f"{said}, {bound}"
    return Condition("loss", evidence.upper is not None and evidence.upper < 0.0, sentence)


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
