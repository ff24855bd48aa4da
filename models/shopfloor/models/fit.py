"""Fit small boosted trees and hand them on compiled. Beside `unfold`, the only place that knows scikit-learn."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import treelite
import treelite.sklearn
from numpy.typing import NDArray
from shopfloor.models.features import Matrix
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

Floats = NDArray[np.float64]
SEED: Final = 7
_GOLDEN: Final = 32


def regression(x: Matrix, y: Floats) -> treelite.Model:
    """Trees that say a number."""
    model = HistGradientBoostingRegressor(
        max_iter=100,
        learning_rate=0.1,
        max_leaf_nodes=15,
        min_samples_leaf=30,
        l2_regularization=1.0,
        early_stopping=False,
        max_bins=127,
        random_state=SEED,
    )
    return treelite.sklearn.import_model(model.fit(filled(x), y))


def spread(x: Matrix, off: Floats) -> treelite.Model:
    """Trees that say how far off (mean absolute error) rows like this are."""
    model = HistGradientBoostingRegressor(
        max_iter=40, max_leaf_nodes=6, min_samples_leaf=60, early_stopping=False, max_bins=63, random_state=SEED
    )
    return treelite.sklearn.import_model(model.fit(filled(x), np.minimum(off, np.quantile(off, 0.99))))


def probability(x: Matrix, y: NDArray[np.bool_]) -> treelite.Model:
    """Trees that say how likely an event is (before calibration)."""
    model = HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.08,
        max_leaf_nodes=8,
        min_samples_leaf=30,
        l2_regularization=5.0,
        early_stopping=False,
        max_bins=127,
        random_state=SEED,
    )
    return treelite.sklearn.import_model(model.fit(filled(x), y))


def filled(x: Matrix) -> Matrix:
    """The same rows, with 0 in columns that are missing everywhere: there is nothing to learn from them."""
    unknown = np.isnan(x).all(axis=0)
    return np.where(unknown, np.float32(0.0), x) if unknown.any() else x


def golden(x: Matrix) -> dict[str, NDArray[Any]]:
    """Rows spread over the training set: what the models answer to them is sealed, and asked again by `load`."""
    return {"golden": x[np.linspace(0, len(x) - 1, min(_GOLDEN, len(x))).astype(int)]}


def typical(x: Matrix, asset: NDArray[np.int64], count: int) -> Matrix:
    """The median features of each asset, [count, f]; of all where it has none."""
    everywhere = _median(x)
    rows = [_median(x[asset == i]) if (asset == i).any() else everywhere for i in range(count)]
    return np.where(np.isnan(rows), everywhere, rows).astype(np.float32)


def _median(x: Matrix) -> Matrix:
    """Column medians of the known values, NaN where nothing is known."""
    ordered = np.sort(x, axis=0)
    known = (~np.isnan(x)).sum(axis=0)
    middle = ordered[np.maximum(known - 1, 0) // 2, np.arange(x.shape[1])]
    return np.where(known > 0, middle, np.nan).astype(np.float32)


def reachable(life: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Weights [n] that make lives that ended stand for those still running (inverse probability of censoring).

    `life` is the age at which each was changed, or last seen when `seen` is false: those get 0. Source: Kaplan-Meier of
    the censoring times, as in Robins and Rotnitzky (1992).
    """
    order = np.argsort(life, kind="stable")
    at_risk = np.arange(len(life), 0, -1, dtype=float)
    censored = ~seen[order]
    surviving = np.cumprod(np.where(censored, 1.0 - 1.0 / np.maximum(at_risk, 2.0), 1.0))
    before = np.concatenate([[1.0], surviving[:-1]])
    weight = np.empty(len(life))
    weight[order] = np.where(censored, 0.0, 1.0 / np.maximum(before, 0.05))
    return np.where(np.isnan(life), 0.0, weight)


def resampled(weight: Floats) -> NDArray[np.int64]:
    """Rows, each as often as its weight says, evenly: as good as weights, and much faster to bin.

    >>> resampled(np.array([1.0, 0.0, 2.0])).tolist()
    [0, 2, 2]
    """
    total = np.cumsum(weight)
    return np.searchsorted(total, np.arange(round(total[-1])) + 0.5).astype(np.int64)
