"""Constants of control charts, computed from the normal distribution instead of typed in.

The range W of n values with standard deviation 1 has the mean d2 and the standard deviation d3 (Tippett 1925); their
standard deviation s has the mean c4. ISO 7870-2 table 2 and AIAG SPC appendix E print what follows from them.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.services.quality.normal import cdf, density

LARGEST: Final = 1_000
_X: Final = np.linspace(-9.0, 9.0, 601)
_W, _WEIGHT = np.polynomial.legendre.leggauss(120)
_W = (_W + 1.0) * 7.0
_WEIGHT = _WEIGHT * 7.0


@cache
def d2(n: int) -> float:
    """Mean range of n values, in standard deviations.

    >>> round(d2(2), 3), round(d2(5), 3), round(d2(10), 3)
    (1.128, 2.326, 3.078)
    """
    return float(_WEIGHT @ (1.0 - _range_cdf(n)))


@cache
def d3(n: int) -> float:
    """Standard deviation of the range of n values, in standard deviations.

    >>> round(d3(2), 3), round(d3(5), 3)
    (0.853, 0.864)
    """
    square = float(_WEIGHT @ (2.0 * _W * (1.0 - _range_cdf(n))))
    return math.sqrt(square - d2(n) ** 2)


@cache
def c4(n: int) -> float:
    """Mean of the sample standard deviation of n values, in standard deviations.

    >>> round(c4(2), 4), round(c4(5), 4), round(c4(25), 4)
    (0.7979, 0.94, 0.9896)
    """
    _check(n)
    return math.sqrt(2.0 / (n - 1)) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))


def a2(n: int) -> float:
    """Limits of a mean from the mean range: 3 / (d2 sqrt(n)).

    >>> round(a2(5), 3)
    0.577
    """
    return 3.0 / (d2(n) * math.sqrt(n))


def a3(n: int) -> float:
    """Limits of a mean from the mean standard deviation: 3 / (c4 sqrt(n)).

    >>> round(a3(5), 3)
    1.427
    """
    return 3.0 / (c4(n) * math.sqrt(n))


def ranges(n: int) -> tuple[float, float]:
    """D3 and D4: limits of the range, in mean ranges.

    >>> [round(limit, 3) for limit in ranges(7)]
    [0.076, 1.924]
    """
    share = 3.0 * d3(n) / d2(n)
    return max(0.0, 1.0 - share), 1.0 + share


def deviations(n: int) -> tuple[float, float]:
    """B3 and B4: limits of the sample standard deviation, in mean standard deviations.

    >>> [round(limit, 3) for limit in deviations(6)]
    [0.03, 1.97]
    """
    share = 3.0 * math.sqrt(1.0 - c4(n) ** 2) / c4(n)
    return max(0.0, 1.0 - share), 1.0 + share


def e2(n: int = 2) -> float:
    """Limits of single values from the mean moving range: 3 / d2.

    >>> round(e2(), 2)
    2.66
    """
    return 3.0 / d2(n)


def _range_cdf(n: int) -> NDArray[np.float64]:
    """Probability that the range of n values is at most w, at the nodes of the quadrature."""
    _check(n)
    within = cdf(_X[:, None] + _W[None, :]) - cdf(_X)[:, None]
    step = _X[1] - _X[0]
    answer: NDArray[np.float64] = n * step * (density(_X) @ within ** (n - 1))
    return answer


def _check(n: int) -> None:
    if not 2 <= n <= LARGEST:
        raise ValueError(f"A subgroup of {n} has no such constant: 2 to {LARGEST} values were expected.")
