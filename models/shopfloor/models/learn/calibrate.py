"""What makes an answer trustworthy: intervals and thresholds, all from out-of-fold answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.scores import f1
from shopfloor.models.spec.memory import Floats

_STRETCHES: Final = 12
_LEAST_BLOCKS: Final = 40
_EQUAL: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Split conformal over the answer: each stretch of answers has quantiles of its own; each asset counts once.

    `at`, `low`, `high` [g]: how far below and above an answer the truth lies; `floor`, `ceiling`: what the target never
    leaves. Where a stretch has too few assets, the quantiles of all residuals, in units of how large they usually are
    in that stretch. Sources: Vovk et al., "Mondrian Confidence Machine" (2003); Lei et al., "Distribution-Free
    Predictive Inference for Regression" (2018), section 5.2. Assets are weighted, so that long lives count no more.
    """

    at: Floats
    low: Floats
    high: Floats
    floor: float
    ceiling: float
    coverage: float

    @classmethod
    def of(
        cls, said: Floats, truth: Floats, block: NDArray[np.int64], coverage: float, floor: float, ceiling: float
    ) -> Intervals:
        """Calibrate on answers to rows the models had not seen; `block` [n] is the asset of each."""
        stretches = _stretches(said)
        at = np.array([said[rows].mean() for rows in stretches])
        spread = _local if all(len(np.unique(block[rows])) >= _LEAST_BLOCKS for rows in stretches) else _pooled
        low, high = (spread(truth - said, block, coverage, upper, stretches) for upper in (False, True))
        at, first = np.unique(at, return_index=True)
        return cls(at, np.minimum(low[first], 0.0), np.maximum(high[first], 0.0), floor, ceiling, coverage)

    def around(self, said: Floats) -> tuple[Floats, Floats]:
        """Low and high [n]."""
        low, high = said + np.interp(said, self.at, self.low), said + np.interp(said, self.at, self.high)
        return np.clip(low, self.floor, self.ceiling), np.clip(high, self.floor, self.ceiling)


def _stretches(said: Floats) -> list[NDArray[np.int64]]:
    """Rows with neighbouring answers, equally many in each stretch."""
    order = np.argsort(said, kind="stable")
    return [rows for rows in np.array_split(order, _STRETCHES) if len(rows)]


def _local(
    residual: Floats, block: NDArray[np.int64], coverage: float, upper: bool, stretches: list[NDArray[np.int64]]
) -> Floats:
    """One end of the interval of each stretch [g]."""
    return np.array([_end(residual[rows], block[rows], coverage, upper) for rows in stretches])


def _pooled(
    residual: Floats, block: NDArray[np.int64], coverage: float, upper: bool, stretches: list[NDArray[np.int64]]
) -> Floats:
    """One quantile of all residuals in units of the mean error of their stretch, in the unit of each stretch [g]."""
    least = max(float(np.abs(residual).mean()) * 0.05, 1e-12)
    usual, unit = np.empty(len(stretches)), np.empty(len(residual))
    for i, rows in enumerate(stretches):
        unit[rows] = usual[i] = max(float(np.abs(residual[rows]).mean()), least)
    return usual * _end(residual / unit, block, coverage, upper)


def _end(x: Floats, block: NDArray[np.int64], coverage: float, upper: bool) -> float:
    """Weighted quantile, every block counts once: between both ends lies `coverage` of n + 1 blocks.

    >>> x, block = np.arange(1.0, 100.0), np.arange(99)
    >>> _end(x, block, 0.9, upper=False), _end(x, block, 0.9, upper=True)
    (4.0, 95.0)
    """
    code, count = np.unique(block, return_inverse=True, return_counts=True)[1:]
    tail = max(1.0 - coverage * (1.0 + 1.0 / len(count)), 0.0) / 2.0
    order = np.argsort(x, kind="stable")
    weight = np.cumsum(1.0 / count[code][order]) / len(count)
    at = np.searchsorted(weight, 1.0 - tail - _EQUAL) if upper else np.searchsorted(weight, tail + _EQUAL) - 1
    return float(x[order][np.clip(at, 0, len(x) - 1)])


def covered(said: Floats, truth: Floats, block: NDArray[np.int64], coverage: float, seed: int = 0) -> float:
    """Coverage of intervals calibrated on half of the blocks, over the other half (each block counts once)."""
    names = np.random.default_rng(seed).permutation(np.unique(block))
    half = np.isin(block, names[: len(names) // 2])
    shares = []
    for one in (half, ~half):
        if not one.any() or one.all():
            return float("nan")
        low, high = Intervals.of(said[one], truth[one], block[one], coverage, -np.inf, np.inf).around(said[~one])
        inside = (truth[~one] >= low) & (truth[~one] <= high)
        code, count = np.unique(block[~one], return_inverse=True, return_counts=True)[1:]
        shares.append(float(np.average(inside, weights=1.0 / count[code])))
    return float(np.mean(shares))


@dataclass(frozen=True, slots=True)
class Alarm:
    """When to raise an alarm: at `threshold`, which a share `false_alarms` of healthy rows passed out of fold.

    `recall`: the share of real cases that it finds; `per_day`: false alarms of one asset a day, when time is known;
    `best` and `f1`: the threshold with the best F1, and the F1 that thresholds chosen without a fold reached in it.
    """

    threshold: float
    false_alarms: float
    recall: float
    per_day: float | None
    best: float
    f1: float


def alarm(said: Floats, truth: Floats, folds: list[NDArray[np.int64]], rate: float, per_day: float | None) -> Alarm:
    """Thresholds for the probability [n] of the second class, from out-of-fold answers."""
    threshold = threshold_at(said[truth == 0], rate)
    raised = np.zeros(len(said), bool)
    for rows in folds:
        others = np.ones(len(said), bool)
        others[rows] = False
        raised[rows] = said[rows] >= best_threshold(said[others], truth[others])
    false = float((said[truth == 0] > threshold).mean())
    day = None if per_day is None else false * per_day
    found = float((said[truth == 1] > threshold).mean())
    return Alarm(threshold, false, found, day, best_threshold(said, truth), f1(raised, truth))


def threshold_at(healthy: Floats, rate: float) -> float:
    """What a share `rate` of healthy scores passes, at most.

    >>> threshold_at(np.arange(100.0), 0.02)
    97.0
    """
    ordered = np.sort(healthy)
    return float(ordered[max(len(ordered) - 1 - int(rate * len(ordered)), 0)])


def best_threshold(said: Floats, truth: NDArray[Any]) -> float:
    """The threshold with the best F1, in the middle of those that are as good within one case in a hundred."""
    order = np.argsort(-said, kind="stable")
    hits = np.cumsum(truth[order])
    scores = 2.0 * hits / (np.arange(1, len(said) + 1) + max(hits[-1], 1.0))
    good = np.flatnonzero(scores >= scores.max() - 0.002)
    return float(said[order][good[len(good) // 2]])
