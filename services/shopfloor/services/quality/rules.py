"""Tests for special causes: Western Electric (1956) and Nelson (1984), over a whole series and as it grows.

A rule looks at z, the distance of a point from its centre line in its own standard deviations, and at most at the 14
points before. It is broken at the point that completes its pattern. NaN breaks every pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import RuleName

Series = NDArray[np.float64]
Flags = NDArray[np.bool_]
REACH: Final = 14
"""How many points before a point can matter for it."""


def all_of(true: Flags, n: int) -> Flags:
    """Whether a point and the n - 1 before it are all true."""
    return np.equal(count_of(true, n), n)


def count_of(true: Flags, n: int) -> NDArray[np.int64]:
    """How many of a point and the n - 1 before it are true."""
    total = np.concatenate([np.zeros(n, np.int64), np.cumsum(true)])
    answer: NDArray[np.int64] = total[n:] - total[:-n]
    return answer


def _beyond(z: Series, sigmas: float, most: int, least: int) -> Flags:
    """`least` of `most` points beyond so many sigma on one side, the last of them now."""
    high, low = z > sigmas, z < -sigmas
    return (high & (count_of(high, most) >= least)) | (low & (count_of(low, most) >= least))


def _one_side(z: Series, n: int) -> Flags:
    return all_of(z > 0, n) | all_of(z < 0, n)


def _trend(z: Series, n: int) -> Flags:
    up, down = _moves(z)
    return all_of(up, n - 1) | all_of(down, n - 1)


def _alternating(z: Series, n: int) -> Flags:
    up, down = _moves(z)
    turned = np.zeros(len(z), bool)
    turned[1:] = (up[1:] & down[:-1]) | (down[1:] & up[:-1])
    return all_of(turned, n - 2)


def _moves(z: Series) -> tuple[Flags, Flags]:
    """Which points are above, and which below the one before."""
    before = np.concatenate([[np.nan], z])[:-1]
    return z > before, z < before


def _avoiding(z: Series, n: int) -> Flags:
    """So many points outside one sigma, and not all on one side."""
    both = (count_of(z > 0, n) > 0) & (count_of(z < 0, n) > 0)
    return all_of(np.abs(z) > 1, n) & both


_TESTS: Final[dict[RuleName, Callable[[Series], Flags]]] = {
    RuleName.WESTERN_ELECTRIC_1: lambda z: np.abs(z) > 3,
    RuleName.WESTERN_ELECTRIC_2: lambda z: _beyond(z, 2, 3, 2),
    RuleName.WESTERN_ELECTRIC_3: lambda z: _beyond(z, 1, 5, 4),
    RuleName.WESTERN_ELECTRIC_4: lambda z: _one_side(z, 8),
    RuleName.NELSON_1: lambda z: np.abs(z) > 3,
    RuleName.NELSON_2: lambda z: _one_side(z, 9),
    RuleName.NELSON_3: lambda z: _trend(z, 6),
    RuleName.NELSON_4: lambda z: _alternating(z, 14),
    RuleName.NELSON_5: lambda z: _beyond(z, 2, 3, 2),
    RuleName.NELSON_6: lambda z: _beyond(z, 1, 5, 4),
    RuleName.NELSON_7: lambda z: all_of(np.abs(z) < 1, 15),
    RuleName.NELSON_8: lambda z: _avoiding(z, 8),
}
SETS: Final = {
    RuleName.WESTERN_ELECTRIC: tuple(name for name in _TESTS if name.startswith("western")),
    RuleName.NELSON: tuple(name for name in _TESTS if name.startswith("nelson")),
}
WORDS: Final = {
    "western-electric-1": "one point beyond three sigma",
    "western-electric-2": "two of three points beyond two sigma on one side",
    "western-electric-3": "four of five points beyond one sigma on one side",
    "western-electric-4": "eight points in a row on one side of the centre line",
    "nelson-1": "one point beyond three sigma",
    "nelson-2": "nine points in a row on one side of the centre line",
    "nelson-3": "six points in a row rising or falling",
    "nelson-4": "fourteen points in a row alternating up and down",
    "nelson-5": "two of three points beyond two sigma on one side",
    "nelson-6": "four of five points beyond one sigma on one side",
    "nelson-7": "fifteen points in a row within one sigma",
    "nelson-8": "eight points in a row beyond one sigma on both sides",
    "spread": "the spread is beyond its limits",
    "ewma": "the moving average is beyond its limits",
    "cusum": "the cumulative sum is beyond its decision interval",
}


def expanded(names: Sequence[RuleName]) -> tuple[RuleName, ...]:
    """The single rules that names stand for, each once.

    >>> [str(rule) for rule in expanded([RuleName.NELSON_1, RuleName.WESTERN_ELECTRIC])][:2]
    ['nelson-1', 'western-electric-1']
    """
    return tuple(dict.fromkeys(rule for name in names for rule in SETS.get(name, (name,))))


def violations(z: Series, names: Sequence[RuleName]) -> Flags:
    """Which rules every point breaks: shape (points, rules).

    >>> violations(np.array([0.5, 3.5, 2.1]), [RuleName.NELSON_1, RuleName.NELSON_5]).tolist()
    [[False, False], [True, False], [False, True]]
    """
    if not names:
        return np.zeros((len(z), 0), bool)
    return np.stack([_TESTS[name](z) for name in names], axis=1)


class RuleStream:
    """The same rules as points arrive; it remembers the last 14.

    >>> stream = RuleStream([RuleName.NELSON_5])
    >>> stream.add(np.array([2.5])).tolist(), stream.add(np.array([0.0, 2.2])).tolist()
    ([[False]], [[False], [True]])
    """

    def __init__(self, names: Sequence[RuleName]) -> None:
        self._names = tuple(names)
        self._last = np.zeros(0)

    def add(self, z: Series) -> Flags:
        """Which rules each new point breaks: shape (points, rules)."""
        known = np.concatenate([self._last, z])
        self._last = known[-REACH:]
        return violations(known, self._names)[len(known) - len(z) :]
