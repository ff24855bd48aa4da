"""What is unusual, learned from a healthy span alone: distance from the usual, and which inputs make it.

The distance is Mahalanobis' on the newest values and those before them, with the covariance shrunk after Ledoit and
Wolf, smoothed by a first-order lag. Its threshold comes from blocks of the healthy span that the covariance had
not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.blueprint import Blueprint, features_of
from shopfloor.models.learn.calibrate import threshold_at
from shopfloor.models.learn.data import Data
from shopfloor.models.learn.roles import LearnError, Roles
from shopfloor.models.learn.split import FOLDS
from shopfloor.models.learn.table import Table
from shopfloor.models.spec import FeatureSpec
from shopfloor.models.spec.memory import Floats
from sklearn.covariance import LedoitWolf

LAGS: Final = 2
SMOOTHING: Final = 14.5
"""Steps of the lag that smooths the distance: it varies as little as a mean of 30 rows does."""

_EMBARGO: Final = 20
_LEAST_ROWS: Final = 200
_COMPONENTS: Final = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """Arrays alone: `mean` [f], `precision` [f, f] of the `columns` of the features; `start` of the smoothed distance.

    `axes` [c, k] and `variance` [c] of the principal components of the newest values, for explanation.
    """

    columns: NDArray[np.int64]
    mean: Floats
    precision: Floats
    start: float
    threshold: float
    axes: Floats
    variance: Floats

    def distance(self, x: NDArray[np.float32]) -> Floats:
        """Squared Mahalanobis distance [n] of features; a missing one counts as usual."""
        away = x[:, self.columns].astype(np.float64) - self.mean
        away = np.where(np.isnan(away), 0.0, away)
        found: Floats = np.einsum("ij,jk,ik->i", away, self.precision, away)
        return found

    def smoothed(self, distance: Floats, unit: NDArray[np.int64]) -> Floats:
        """The distance with its past, [n]; `unit` [n] is ordered, and each one starts as the usual one."""
        out, level = np.empty(len(distance)), self.start
        for i, value in enumerate(distance.tolist()):
            level = self.start if i and unit[i] != unit[i - 1] else level
            level += (value - level) / (1.0 + SMOOTHING)
            out[i] = level
        return out

    def contributions(self, x: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Of each input to T2 (within the usual directions) and to SPE (outside of them), [n, k] each."""
        now = np.nan_to_num(x[:, self.columns].astype(np.float64) - self.mean)[:, : self.axes.shape[1]]
        along = now @ self.axes.T
        t2 = ((along / self.variance) @ self.axes) * now
        return t2, (now - along @ self.axes) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What was learned of the usual, and how it was judged: smoothed distances [n] of healthy rows by blocks not seen.

    `honest`: the share of healthy rows that alarm at thresholds set without them; `naive`: at the textbook's threshold,
    the same quantile of the distances of the very rows that were learned from.
    """

    spec: FeatureSpec
    model: Novelty
    distance: Floats
    honest: float
    naive: float
    rows: int


def learn_usual(data: Data, roles: Roles, table: Table) -> Usual:
    """Learn from the rows of the healthy span; `LearnError` when it has too few."""
    healthy = data.take(_healthy(data, roles, table))
    if len(healthy) < _LEAST_ROWS:
        raise LearnError(f"The healthy span holds {len(healthy)} rows, expected at least {_LEAST_ROWS}: widen it.")
    blueprint = Blueprint(remember=healthy.remembers, lags=LAGS if healthy.remembers else 0)
    spec = blueprint.fit(healthy, np.arange(len(healthy)))
    x = features_of(spec, healthy)
    columns = _columns(spec)
    block = np.arange(len(healthy)) * FOLDS // len(healthy)
    raw = _unseen(x, columns, spec.lags, block)
    model = _fitted(x, columns, spec.lags, float(np.median(raw)))
    piece = np.unique(np.stack([block, healthy.unit]), axis=1, return_inverse=True)[1].reshape(-1)
    smooth = model.smoothed(raw, piece)
    seen = model.smoothed(model.distance(x), healthy.unit)
    threshold = threshold_at(smooth, roles.false_alarms)
    naive = float((smooth > threshold_at(seen, roles.false_alarms)).mean())
    model = _fitted(x, columns, spec.lags, model.start, threshold)
    return Usual(spec, model, smooth, _honest(smooth, block, roles.false_alarms), naive, len(healthy))


def _healthy(data: Data, roles: Roles, table: Table) -> NDArray[np.int64]:
    """Rows within the healthy span; timestamps are compared as such, everything else as numbers."""
    if roles.healthy is None:
        raise LearnError("Novelty needs a healthy span: say from when to when everything was in order.")
    when = table[roles.time][data.row] if roles.time else data.row
    if when.dtype.kind != "M":
        start, end = (float(one) for one in roles.healthy)
        return np.flatnonzero((when >= start) & (when <= end))
    try:
        first, last = (np.datetime64(str(one).removesuffix("Z"), "ns") for one in roles.healthy)
    except ValueError as problem:
        raise LearnError(f"The healthy span {roles.healthy} holds no timestamps: write 2026-01-31T08:00.") from problem
    return np.flatnonzero((when >= first) & (when <= last))


def _columns(spec: FeatureSpec) -> NDArray[np.int64]:
    """The newest values and those before them; where rows are independent, the values as they are."""
    lagged = [i for i, name in enumerate(spec.names) if name.endswith((" now", " before"))]
    return np.array(lagged or range(len(spec.names)), np.int64)


def _unseen(x: NDArray[np.float32], columns: NDArray[np.int64], lags: int, block: NDArray[np.int64]) -> Floats:
    """Distances of each block by what the other blocks teach, an embargo around it left out."""
    raw = np.zeros(len(x))
    place = np.arange(len(x))
    for k in np.unique(block):
        inside = np.flatnonzero(block == k)
        far = (place < inside[0] - _EMBARGO) | (place > inside[-1] + _EMBARGO)
        raw[inside] = _fitted(x[far], columns, lags).distance(x[inside])
    return raw


def _fitted(
    x: NDArray[np.float32], columns: NDArray[np.int64], lags: int, start: float = 0.0, threshold: float = 0.0
) -> Novelty:
    values = np.nan_to_num(x[:, columns].astype(np.float64))
    found = LedoitWolf().fit(values)
    width = len(columns) // (1 + lags)
    axes, variance = _principal(values[:, :width] - found.location_[:width])
    return Novelty(columns, found.location_, found.precision_, start, threshold, axes, variance)


def _principal(away: Floats) -> tuple[Floats, Floats]:
    """The directions that hold nine tenths of the variance, and their variances."""
    _, size, axes = np.linalg.svd(away, full_matrices=False)
    variance = size**2 / max(len(away) - 1, 1)
    kept = int(np.searchsorted(np.cumsum(variance) / variance.sum(), _COMPONENTS)) + 1
    return axes[:kept], np.maximum(variance[:kept], 1e-12)


def _honest(smooth: Floats, block: NDArray[Any], rate: float) -> float:
    """The share that alarms when each block's threshold is set by the other blocks."""
    alarms = [(smooth[block == k] > threshold_at(smooth[block != k], rate)).mean() for k in np.unique(block)]
    return float(np.mean(alarms))
