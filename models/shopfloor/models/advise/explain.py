"""Why: what each feature, or group of features, adds to what a model says, shared out so that it adds up.

A walk goes from a background row to the row itself and takes over one group after the other; what the model moves by at
a step is that group's. Every order is walked forwards and backwards, and the mean is taken: Shapley's values, sampled.
They add up exactly to the row's answer less the background's, for any model. Where no more than two groups act
together, one order is enough for Shapley's values themselves.

Sources: Castro et al., "Polynomial calculation of the Shapley value based on sampling" (2009); Lomeli et al.,
"Antithetic and Monte Carlo kernel estimators for partial rankings" (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.features import Matrix
from shopfloor.models.scorer import pull
from shopfloor.models.sealing.opened import Bundle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BACKGROUNDS: Final = 8
_AT_ONCE: Final = 8192
"""Rows that a model is asked about in one call."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What the model says of a row, of the background on average, and what each feature adds to that: [f].

    The numbers are those of `scorer.pull`: the value; of an exceedance how far beyond the limit, in spreads; of a
    probability that before calibration.
    """

    value: float
    base: float
    features: Floats

    @property
    def gap(self) -> float:
        """What is left unexplained; rounding alone."""
        return self.value - self.base - float(self.features.sum())


def explain(bundle: Bundle, row: Matrix, backgrounds: Matrix | None = None) -> Explanation:
    """Share out what a bundle says of one row [f] among its features, against backgrounds [b, f].

    Left out, the backgrounds are eight of the bundle's own golden rows. Fewer backgrounds are walked in more orders.

    >>> from shopfloor.models.advise.examples import ridge
    >>> said = explain(ridge(), np.array([3.0, 1.0], np.float32), np.zeros((1, 2), np.float32))
    >>> said.features.round(1).tolist(), abs(said.gap) < 1e-9
    ([6.0, -1.0], True)
    """
    against = reference_rows(bundle) if backgrounds is None else backgrounds
    alone = [[column] for column in range(len(row))]
    pairs = max(BACKGROUNDS // (2 * len(against)), 1)
    features = contributions(bundle, row[None], against[None], alone, pairs=pairs)[0]
    return Explanation(float(pull(bundle, row[None])[0]), float(pull(bundle, against).mean()), features)


def reference_rows(bundle: Bundle, count: int = BACKGROUNDS) -> Matrix:
    """Golden rows of a bundle, evenly spread: [count, f]."""
    golden: Matrix = bundle.arrays["golden"]
    return np.asarray(golden[np.linspace(0, len(golden) - 1, min(count, len(golden))).astype(int)])


def contributions(
    bundle: Bundle, x: Matrix, backgrounds: Matrix, groups: Sequence[Sequence[int]], *, pairs: int = 1
) -> Floats:
    """What each group of columns adds to the value of each row [n, f], against its backgrounds [n, b, f]: [n, groups].

    A column in no group stays as it is. `pairs` are the orders walked, both ways, for each background.
    """
    where = np.full(x.shape[1], -1)
    for group, columns in enumerate(groups):
        where[list(columns)] = group
    orders = _orders(len(groups), backgrounds.shape[1] * pairs)
    taken = _taken(orders, where)
    share = max(_AT_ONCE // (taken.shape[0] * taken.shape[1]), 1)
    blocks = [
        _walked(bundle, x[i : i + share], backgrounds[i : i + share], orders, taken) for i in range(0, len(x), share)
    ]
    return np.concatenate(blocks) if blocks else np.empty((0, len(groups)))


def _orders(groups: int, count: int) -> Ints:
    """The orders of all walks, each followed by its reverse: [2 count, groups]. The same for every row."""
    forwards = np.stack([np.random.default_rng(i).permutation(groups) for i in range(count)])
    return np.stack([forwards, forwards[:, ::-1]], axis=1).reshape(2 * count, groups)


def _taken(orders: Ints, where: Ints) -> NDArray[np.bool_]:
    """Which columns are the row's own after each step of each walk: [walks, groups + 1, f]."""
    rank = np.argsort(orders, axis=1)
    step = np.arange(orders.shape[1] + 1)
    mine = rank[:, where][:, None, :] < step[None, :, None]
    return mine | (where < 0)


def _walked(bundle: Bundle, x: Matrix, backgrounds: Matrix, orders: Ints, taken: NDArray[np.bool_]) -> Floats:
    walks, steps, width = taken.shape
    start = np.repeat(backgrounds, walks // backgrounds.shape[1], axis=1)
    rows = np.where(taken, x[:, None, None, :], start[:, :, None, :])
    said = pull(bundle, rows.reshape(-1, width)).reshape(len(x), walks, steps)
    moved = np.take_along_axis(np.diff(said, axis=2), np.argsort(orders, axis=1)[None], axis=2)
    mean: Floats = moved.mean(axis=1)
    return mean
