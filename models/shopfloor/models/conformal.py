"""Intervals and probabilities that keep their word: split conformal residuals, Venn-Abers probabilities.

Sources: Lei et al., "Distribution-Free Predictive Inference for Regression" (2018), section 5.2 (normalised residuals);
Vovk, Petej and Fedorova, "Large-scale probabilistic predictors with and without guarantees of validity" (2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Sorted normalised residuals (truth - value) / spread of a calibration set the model has not seen.

    >>> r = Residuals.of(np.arange(100.0), np.arange(100.0) + np.tile([-1.0, 1.0], 50), np.ones(100))
    >>> low, high = r.interval(np.array([5.0]), np.array([1.0]), 0.9)
    >>> low.tolist(), high.tolist()
    ([4.0], [6.0])
    """

    sorted: Floats

    @classmethod
    def of(cls, value: Floats, truth: Floats, spread: Floats) -> Residuals:
        """Calibrate; the three are [n]."""
        return cls(np.sort((truth - value) / spread))

    def quantile(self, level: float) -> float:
        """The finite-sample quantile: outward by one rank, so that coverage is kept for any n."""
        n = len(self.sorted)
        rank = np.ceil((n + 1) * level) if level > 0.5 else np.floor((n + 1) * level)
        return float(self.sorted[int(np.clip(rank - 1, 0, n - 1))])

    def interval(self, value: Floats, spread: Floats, coverage: float) -> tuple[Floats, Floats]:
        """Low and high [n]: each tail keeps half of what `coverage` leaves."""
        tail = (1.0 - coverage) / 2.0
        return value + self.quantile(tail) * spread, value + self.quantile(1.0 - tail) * spread

    def beyond(self, value: Floats, spread: Floats, limit: float) -> Floats:
        """Probability [n] that the truth lies outside +-limit: the share of residuals that would carry it there."""
        n = len(self.sorted)
        above = n - np.searchsorted(self.sorted, (limit - value) / spread, "right")
        below = np.searchsorted(self.sorted, (-limit - value) / spread, "left")
        share: Floats = np.asarray((above + below + 0.5) / (n + 1.0), np.float64)
        return np.where(share > 1.0, 1.0, share)


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Venn-Abers: a score becomes a probability with a lower and an upper end, one for each possible truth.

    `score` [g] ascending, `low` [g] and `high` [g] rising with it.
    """

    score: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, score: Floats, truth: NDArray[Any], *, together: float = 1.0, points: int = 100) -> Probabilities:
        """Calibrate on scores the model gave to cases it has not seen.

        `together` says how many neighbouring cases tell the same story (windows before one event): they count as one.
        """
        x, y, weight = pooled(score, truth)
        grid = np.unique(np.quantile(x, np.linspace(0.0, 1.0, points)))
        low = np.array([_joined(x, y, weight / together, g, 0.0) for g in grid])
        high = np.array([_joined(x, y, weight / together, g, 1.0) for g in grid])
        return cls(grid, np.maximum.accumulate(low), np.maximum.accumulate(high))

    def of_score(self, score: Floats) -> tuple[Floats, Floats, Floats]:
        """Probability, low and high [n]."""
        low, high = np.interp(score, self.score, self.low), np.interp(score, self.score, self.high)
        return high / (1.0 - low + high), low, high


def _joined(x: Floats, y: Floats, weight: Floats, at: float, truth: float) -> float:
    """Isotonic fit at `at` when the case (at, truth) joins the calibration set."""
    spot = int(np.searchsorted(x, at, "right"))
    return float(isotonic(np.insert(y, spot, truth), np.insert(weight, spot, 1.0))[spot])


def isotonic(y: Floats, weight: Floats) -> Floats:
    """Rising least-squares fit (pool adjacent violators).

    >>> isotonic(np.array([1.0, 3.0, 2.0]), np.ones(3)).tolist()
    [1.0, 2.5, 2.5]
    """
    total: list[float] = []
    mass: list[float] = []
    size: list[int] = []
    for value, w in zip(y.tolist(), weight.tolist(), strict=True):
        total.append(value * w)
        mass.append(w)
        size.append(1)
        while len(total) > 1 and total[-2] * mass[-1] >= total[-1] * mass[-2]:
            t, m, s = total.pop(), mass.pop(), size.pop()
            total[-1] += t
            mass[-1] += m
            size[-1] += s
    return np.repeat(np.array(total) / np.array(mass), size)


def pooled(score: Floats, truth: NDArray[Any], most: int = 300) -> tuple[Floats, Floats, Floats]:
    """Neighbouring scores pooled into at most `most` groups: mean score, share of truths, number of cases.

    The high end, where the few events are, keeps the finest groups.
    """
    order = np.argsort(score, kind="stable")
    edges = np.unique((len(order) * (1.0 - np.geomspace(1.0, 1.0 / max(len(order), 1), most))).astype(int))
    groups = np.split(order, edges[(edges > 0) & (edges < len(order))])
    return (
        np.array([score[g].mean() for g in groups]),
        np.array([truth[g].mean() for g in groups]),
        np.array([float(len(g)) for g in groups]),
    )


def wilson(hits: float, n: float, z: float = 1.645) -> tuple[float, float]:
    """The 90 % interval of a share.

    >>> low, high = wilson(5, 10); round(low, 2), round(high, 2)
    (0.27, 0.73)
    """
    if n <= 0:
        return 0.0, 1.0
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


def arrays(calibration: Residuals | Probabilities) -> dict[str, Floats]:
    """Plain arrays, to seal in a bundle."""
    if isinstance(calibration, Residuals):
        return {"residuals": calibration.sorted}
    return {"score": calibration.score, "low": calibration.low, "high": calibration.high}


def residuals_of(stored: Mapping[str, Floats]) -> Residuals:
    """What `arrays` gave for residuals."""
    return Residuals(stored["residuals"])


def probabilities_of(stored: Mapping[str, Floats]) -> Probabilities:
    """What `arrays` gave for probabilities."""
    return Probabilities(stored["score"], stored["low"], stored["high"])
