"""Confidence bounds that hold however often, and whenever, somebody looks at them.

A bound for one look (Student's t) that is looked at every hour until it pleases errs far more often than it says. Here
somebody bets, story after story, against a mean, never knowing the next one; no bettor multiplies a stake by 20 with
more than one chance in 20, at any time (Ville). So the means against which the bet has won that much are ruled out.

Sources: de la Pena, "A general class of exponential inequalities for martingales and ratios" (1999), and Howard,
Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences" (Annals of Statistics,
2021), for the mean of differences; Robbins, "Statistical methods related to the law of the iterated logarithm" (1970),
for a share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BETTORS: Final = ((5, 0.5), (40, 0.25), (160, 0.25))
"""After how many differences each of three bettors begins, and the stake that it has.

Those before only say how large the next ones are: where large ones are rare the first of them may ruin the first
bettor, the others have seen it.
"""
_STAKE: Final = 0.25
"""How boldly is bet, in standard deviations: the bounds are tightest after about 100 differences."""
_STEPS: Final = 40


def bounds(differences: Floats, level: float) -> tuple[float | None, float | None]:
    """One-sided lower and upper bounds of the mean of independent differences [n], in the order in which they came.

    They hold for all n at once, with the probability `level` each. That is exact where a difference lies as often
    above its mean as below it by as much, as between two equally good versions; else for large n. None: too few.

    >>> lower, upper = bounds(np.tile([-1.0, -2.0, -3.0, -2.0], 20), 0.95)
    >>> round(lower, 2), round(upper, 2)
    (-2.28, -1.75)
    """
    spread = _spread_before(differences)
    able = [(n, math.log(stake)) for n, stake in _BETTORS if (spread[n:] > 0.0).any()]
    bettors = [(_sums(differences[n:], spread[n:]), stake) for n, stake in able]
    if not bettors:
        return None, None
    needed, step, centre = -math.log(1.0 - level), float(spread[-1]), float(differences.mean())

    def wealth(mean: float, sign: float) -> float:
        several = [stake + sums.wealth(mean, sign) for sums, stake in bettors]
        return max(several) + math.log(sum(math.exp(one - max(several)) for one in several))

    upper = _crossing(lambda away: wealth(centre + away, 1.0), needed, step)
    lower = _crossing(lambda away: wealth(centre - away, -1.0), needed, step)
    return None if lower is None else centre - lower, None if upper is None else centre + upper


def most_likely_at_most(happened: int, n: int, level: float) -> float:
    """The upper bound of a share of which `happened` of `n` are known; it holds for all n at once.

    >>> round(most_likely_at_most(0, 100, 0.95), 3), most_likely_at_most(0, 0, 0.95)
    (0.057, 1.0)
    """
    needed = -math.log(1.0 - level)
    spread = math.lgamma(happened + 0.5) + math.lgamma(n - happened + 0.5) - math.lgamma(n + 1.0)
    mixed = spread - 2.0 * math.lgamma(0.5)

    def wealth(share: float) -> float:
        least = happened * math.log(share) if happened else 0.0
        return mixed - least - (n - happened) * math.log1p(-share)

    low, high = happened / n if n else 1.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if 0.0 < middle < 1.0 and wealth(middle) >= needed else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over differences: of the weights w, w x, w^2, w^2 x, w^2 x^2."""

    weights: float
    weighted: float
    squares: float
    squares_x: float
    squares_xx: float

    def wealth(self, mean: float, sign: float) -> float:
        """The logarithm of what a bet against `mean` has won: against means above (sign 1) or below the data (-1)."""
        gain = sign * (mean * self.weights - self.weighted)
        risk = mean**2 * self.squares - 2 * mean * self.squares_x + self.squares_xx + 1.0 / _STAKE**2
        surely = max(0.5 * math.erfc(-gain / math.sqrt(2.0 * risk)), 1e-300)
        return math.log(2.0 / _STAKE) - 0.5 * math.log(risk) + gain**2 / (2.0 * risk) + math.log(surely)


def _sums(x: Floats, spread: Floats) -> _Sums:
    x, weight = x[spread > 0.0], 1.0 / spread[spread > 0.0]
    square = weight**2
    return _Sums(*map(float, (weight.sum(), weight @ x, square.sum(), square @ x, square @ x**2)))


def _spread_before(x: Floats) -> Floats:
    """The standard deviation of those before each of differences [n]; 0 where there is nothing to go by."""
    n = np.arange(len(x), dtype=np.float64)
    shifted = x - x[0] if len(x) else x
    total, squares = np.cumsum(shifted) - shifted, np.cumsum(shifted**2) - shifted**2
    variance = np.maximum(squares - total**2 / np.maximum(n, 1.0), 0.0) / np.maximum(n - 1.0, 1.0)
    spread: Floats = np.sqrt(variance)
    return spread


def _crossing(wealth: Callable[[float], float], needed: float, step: float) -> float | None:
    """How far from 0 the wealth first reaches what is needed; None when it does nowhere."""
    low, high = 0.0, step / 64.0
    while wealth(high) < needed:
        low, high = high, high * 1.5
        if high > 1e4 * step:
            return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if wealth(middle) >= needed else (middle, high)
    return high
