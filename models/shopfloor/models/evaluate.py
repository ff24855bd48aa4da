"""Scores with the trivial baseline beside them, as `GET /api/v1/models` shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """One score beside what a trivial rule scores on the same rows, or beside what was promised.

    `better` is "lower" or "higher"; `beats` says whether the rule is beaten or the promise kept.
    """

    name: str
    value: float
    baseline: float | None
    baseline_name: str
    unit: str
    better: str
    beats: bool

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; what could not be measured is null."""
        return {k: (_plain(v) if isinstance(v, float) else v) for k, v in asdict(self).items()}


def _plain(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def metric(
    name: str, value: float, baseline: float, baseline_name: str, unit: str = "", *, higher: bool = False
) -> Metric:
    """Compare a score with its baseline.

    >>> metric("MAE", 2.0, 5.0, "mean", "um").beats
    True
    """
    beats = value > baseline if higher else value < baseline
    better = "higher" if higher else "lower"
    return Metric(name, float(value), float(baseline), baseline_name, unit, better, bool(beats))


def mae(said: Floats, truth: Floats, weight: Floats | None = None) -> float:
    """Mean absolute error, over the rows that have both."""
    known = ~np.isnan(said) & ~np.isnan(truth)
    if not known.any():
        return float("nan")
    return float(np.average(np.abs(said - truth)[known], weights=None if weight is None else weight[known]))


def brier(probability: Floats, truth: NDArray[Any]) -> float:
    """Mean squared error of a probability.

    >>> brier(np.array([0.0, 0.5]), np.array([0, 1]))
    0.125
    """
    return float(np.mean((probability - truth) ** 2))


def average_precision(score: Floats, truth: NDArray[Any]) -> float:
    """Area under precision over recall; a score that knows nothing reaches the base rate.

    >>> average_precision(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 1]))
    0.8333333333333333
    """
    order = np.argsort(-score, kind="stable")
    hits = np.asarray(truth, float)[order]
    if not hits.sum():
        return 0.0
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(hits) - 1)
    found = np.cumsum(hits)[ends]
    gained = np.diff(np.concatenate([[0.0], found]))
    return float((gained * found / (ends + 1.0)).sum() / hits.sum())


def coverage(low: Floats, high: Floats, truth: Floats) -> float:
    """Share of truths inside their interval."""
    known = ~np.isnan(low) & ~np.isnan(truth)
    return float(np.mean((truth[known] >= low[known]) & (truth[known] <= high[known]))) if known.any() else float("nan")


def interval_score(low: Floats, high: Floats, truth: Floats, nominal: float) -> float:
    """Mean width plus a penalty for each miss, in proportion to pinball loss (Gneiting and Raftery 2007, eq. 43)."""
    known = ~np.isnan(low) & ~np.isnan(truth)
    a, b, y = low[known], high[known], truth[known]
    tail = 2.0 / (1.0 - nominal)
    return float(np.mean(b - a + tail * np.maximum(a - y, 0.0) + tail * np.maximum(y - b, 0.0)))


def beaten(metrics: Iterable[Metric]) -> bool:
    """Does the first score, the one that counts, beat its baseline? Otherwise the model abstains."""
    return next(m.beats for m in metrics if m.baseline is not None)
