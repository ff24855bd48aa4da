"""Charts that remember: EWMA (Roberts 1959; ISO 7870-6) and the tabular CUSUM (Page 1954; ISO 7870-4).

Both work on z, the distance from the centre line in standard deviations of a point. The average run length (ARL) is
that of Brook and Evans (1972): a Markov chain whose states cut the limits into equal cells.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from shopfloor.services.quality.normal import cdf

Series = NDArray[np.float64]


def ewma(z: Series, weight: float, start: float = 0.0) -> Series:
    """The moving average after each point; a NaN leaves it as it was.

    >>> ewma(np.array([1.0, 1.0]), 0.2).round(2).tolist()
    [0.2, 0.36]
    """
    answer = np.empty(len(z))
    for i, value in enumerate(z.tolist()):
        start = start if math.isnan(value) else weight * value + (1.0 - weight) * start
        answer[i] = start
    return answer


def ewma_limits(weight: float, width: float, first: int, n: int) -> Series:
    """Half width of the limits at the points first, first + 1, … (the first ever is 1), in standard deviations.

    >>> ewma_limits(0.1, 2.7, 1, 2).round(4).tolist()  # Montgomery, example 9.2
    [0.27, 0.3632]
    """
    i = np.arange(first, first + n)
    answer: Series = width * np.sqrt(weight / (2.0 - weight) * (1.0 - (1.0 - weight) ** (2 * i)))
    return answer


def cusum(z: Series, slack: float, start: tuple[float, float] = (0.0, 0.0)) -> tuple[Series, Series]:
    """Sums of what exceeds the slack k, upwards and downwards (both positive); a NaN leaves them as they were.

    >>> high, low = cusum(np.array([1.5, 1.0, -2.0]), 0.5)
    >>> high.tolist(), low.tolist()
    ([1.0, 1.5, 0.0], [0.0, 0.0, 1.5])
    """
    high, low = np.empty(len(z)), np.empty(len(z))
    up, down = start
    for i, value in enumerate(z.tolist()):
        if not math.isnan(value):
            up, down = max(0.0, up + value - slack), max(0.0, down - value - slack)
        high[i], low[i] = up, down
    return high, low


@lru_cache(1024)
def cusum_arl(slack: float, decision: float, shift: float = 0.0, cells: int = 100) -> float:
    """Points until a two-sided CUSUM signals, on average, with the mean `shift` standard deviations off.

    >>> round(cusum_arl(0.5, 5.0)), round(cusum_arl(0.5, 5.0, 1.0), 1)  # Montgomery, table 9.3: 465, 10.4
    (465, 10.4)
    """
    rate = 1.0 / _one_sided(slack, decision, shift, cells) + 1.0 / _one_sided(slack, decision, -shift, cells)
    return 1.0 / rate


@lru_cache(1024)
def ewma_arl(weight: float, width: float, shift: float = 0.0, cells: int = 151) -> float:
    """Points until an EWMA with its final limits signals, on average.

    >>> round(ewma_arl(0.1, 2.814)), round(ewma_arl(0.1, 2.814, 1.0), 1)  # Lucas and Saccucci (1990) print 500, 10.3
    (499, 10.3)
    """
    limit = width * math.sqrt(weight / (2.0 - weight))
    cell = 2.0 * limit / cells
    middle = -limit + cell * (np.arange(cells) + 0.5)
    edge = -limit + cell * np.arange(cells + 1)
    reach = (edge[None, :] - (1.0 - weight) * middle[:, None]) / weight - shift
    return float(_run_lengths(np.diff(cdf(reach), axis=1))[cells // 2])


def _one_sided(slack: float, decision: float, shift: float, cells: int) -> float:
    cell = 2.0 * decision / (2 * cells - 1)
    middle = cell * np.arange(cells)
    reach = middle[None, :] - middle[:, None] + slack - shift
    upper, lower = cdf(reach + cell / 2.0), cdf(reach - cell / 2.0)
    lower[:, 0] = 0.0
    return float(_run_lengths(upper - lower)[0])


def _run_lengths(moves: NDArray[np.float64]) -> Series:
    """Mean steps until the chain leaves, from each state."""
    return np.asarray(np.linalg.solve(np.eye(len(moves)) - moves, np.ones(len(moves))), np.float64)
