"""The distributions that charts and capability need, without scipy: normal, chi-square, Anderson-Darling."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ERF: Final = np.frompyfunc(math.erfc, 1, 1)
_STANDARD: Final = NormalDist()
_STEPS: Final = 500
_LEAST: Final = 8


def cdf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of a standard normal value of at most x."""
    answer: NDArray[np.float64] = 0.5 * np.asarray(_ERF(-np.asarray(x) / math.sqrt(2.0)), np.float64)
    return answer


def density(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density of the standard normal distribution."""
    answer: NDArray[np.float64] = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return answer


def quantile(share: float) -> float:
    """The standard normal value that is not exceeded with this probability.

    >>> round(quantile(0.975), 4)
    1.96
    """
    return _STANDARD.inv_cdf(share)


def chi_square_cdf(x: float, freedom: float) -> float:
    """Probability of a chi-square value of at most x; Numerical Recipes, section 6.2.

    >>> round(chi_square_cdf(18.307, 10), 4)
    0.95
    """
    if x <= 0.0:
        return 0.0
    a, half = freedom / 2.0, x / 2.0
    front = math.exp(a * math.log(half) - half - math.lgamma(a))
    return front * _series(a, half) if half < a + 1.0 else 1.0 - front * _fraction(a, half)


@lru_cache(4096)
def chi_square_quantile(share: float, freedom: float) -> float:
    """The chi-square value that is not exceeded with this probability.

    >>> round(chi_square_quantile(0.95, 10), 3), round(chi_square_quantile(0.025, 99), 3)
    (18.307, 73.361)
    """
    guess = freedom * max(1.0 - 2.0 / (9.0 * freedom) + quantile(share) * math.sqrt(2.0 / (9.0 * freedom)), 0.1) ** 3
    low, high = 0.0, 2.0 * guess + 10.0
    while chi_square_cdf(high, freedom) < share:
        high *= 2.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if chi_square_cdf(middle, freedom) < share else (low, middle)
    return 0.5 * (low + high)


def anderson_darling(values: NDArray[np.float64]) -> float | None:
    """How probable so odd a sample of a normal distribution is; None where it cannot be said.

    A-squared with D'Agostino's correction for estimated mean and deviation (Stephens 1986, table 4.9).
    """
    n, deviation = len(values), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    if n < _LEAST or not deviation > 0.0:
        return None
    z = np.sort((values - np.mean(values)) / deviation)
    below, above = np.clip(cdf(z), 1e-300, 1.0), np.clip(cdf(-z[::-1]), 1e-300, 1.0)
    square = -n - float(np.mean((2.0 * np.arange(1, n + 1) - 1.0) * (np.log(below) + np.log(above))))
    return _p_value(square * (1.0 + 0.75 / n + 2.25 / n**2))


def _p_value(a: float) -> float:
    if a >= 10.0:
        return 0.0
    if a >= 0.6:
        return math.exp(1.2937 - 5.709 * a + 0.0186 * a * a)
    if a > 0.34:
        return math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    if a > 0.2:
        return 1.0 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    return 1.0 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)


def _series(a: float, x: float) -> float:
    term = total = 1.0 / a
    for i in range(1, _STEPS * 20):
        term *= x / (a + i)
        total += term
        if term < total * 1e-16:
            break
    return total


def _fraction(a: float, x: float) -> float:
    """Lentz's continued fraction of the upper incomplete gamma function."""
    b, c = x + 1.0 - a, 1e300
    d = answer = 1.0 / b
    for i in range(1, _STEPS * 20):
        step = -i * (i - a)
        b += 2.0
        d = 1.0 / (step * d + b or 1e-300)
        c = b + step / c or 1e-300
        answer *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    return answer
