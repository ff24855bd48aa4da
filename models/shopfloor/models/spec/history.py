"""Offline: the features of a whole history, by the same step that runs online."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.spec.featurespec import FeatureSpec
from shopfloor.models.spec.memory import Floats, Ints, Matrix, Memory, step


def features(
    spec: FeatureSpec,
    values: Floats,
    time: Ints | None = None,
    asset: NDArray[np.int64] | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Matrix:
    """Features [n, f] of all rows, each from itself and the rows of its asset that came before it.

    `values` [n, inputs] raw, `time` [n] (default: the rank of the row), `asset` [n] any integer (default: one asset).
    Rows are taken in the order in which they came; one that is not newer than its asset's last gets NaN.

    >>> spec = FeatureSpec.plain(("load",), remembered=("load",))
    >>> features(spec, np.array([[1.0], [3.0]]))[:, 6].tolist()
    [1.0, 2.0]
    """
    values = np.ascontiguousarray(values, np.float64)
    time = np.arange(len(values), dtype=np.int64) if time is None else np.asarray(time, np.int64)
    if not spec.remembered and not spec.age:
        return step(spec, Memory.of(spec, len(values)), time, values)
    asset = np.zeros(len(values), np.int64) if asset is None else asset
    out = np.empty((len(values), len(spec.names)), np.float32)
    turns = _turns(asset)
    memory = Memory.of(spec, len(turns[0]) if turns else 0)
    for i, rows in enumerate(turns):
        out[rows] = step(spec, memory.take(slice(0, len(rows))), time[rows], values[rows])
        progress((i + 1) / len(turns))
    return out


def _turns(asset: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Row i of each asset, for i = 0, 1, ...; assets with more rows come first, so that each turn is a prefix."""
    _, code, count = np.unique(asset, return_inverse=True, return_counts=True)
    order = np.argsort(code, kind="stable")
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    rank = np.argsort(-count, kind="stable")
    start, count = start[rank], count[rank]
    longest = int(count.max()) if len(count) else 0
    living = np.searchsorted(-count, -np.arange(longest), side="left")
    return [order[start[:n] + i] for i, n in enumerate(living.tolist())]
