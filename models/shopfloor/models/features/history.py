"""Pots at one moment, as live judging asks, or at many moments of their past at once: the same to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bins import AT, Bins
from shopfloor.models.columns import Ints
from shopfloor.models.features.matrix import Matrix
from shopfloor.models.features.pot import LOOKED, POT_FEATURES, REMEMBERED, Day, Windows, described

_AT_ONCE: Final = 512
"""Moments times pots described in one go: a column of their hours fits a processor's cache."""


def pot_features(fine: NDArray[Any], coarse: NDArray[Any]) -> Matrix:
    """Features [n, POT_FEATURES] of n pots, from the last bins [FINE, n, k] and blocks [COARSE, n, k]."""
    alone: Matrix = described(_alone(fine, LOOKED), Day.of(_alone(coarse, REMEMBERED)))[0]
    return alone


def _alone(window: NDArray[Any], widths: Mapping[str, int]) -> Windows:
    return {name: window[-width:, None, :, AT[name]].astype(np.float64) for name, width in widths.items()}


def pot_history(bins: Bins, rows: Ints) -> Matrix:
    """The same features at many moments: [len(rows), pots, POT_FEATURES] as known at the end of each chosen bin."""
    times, blocks = bins.blocks()
    upto = np.searchsorted(times, bins.time[rows], "right")
    out = np.empty((len(rows), len(bins.pots), len(POT_FEATURES)), np.float32)
    # numpy sums a window of one place in pairs, as `pot_features` of a single pot does: one moment at a time keeps that
    share = max(_AT_ONCE // len(bins.pots), 1) if len(bins.pots) > 1 else 1
    for i in range(0, len(rows), share):
        ends, place = np.unique(upto[i : i + share], return_inverse=True)
        day = Day.of(_windows(blocks, ends, REMEMBERED)).at(place)
        out[i : i + share] = described(_windows(bins.values, rows[i : i + share] + 1, LOOKED), day)
    return out


def _windows(values: NDArray[Any], ends: Ints, widths: Mapping[str, int]) -> Windows:
    """The last rows of each column before each end, NaN where there are none: [width, ends, pots]."""
    first = max(int(ends.min()) - max(widths.values()), 0)
    near = values[first : int(ends.max())] if ends.any() else np.full((1, *values.shape[1:]), np.nan)
    index = ends + np.arange(-max(widths.values()), 0)[:, None]
    missing, index = index < 0, np.maximum(index - first, 0)
    found = {}
    for name, width in widths.items():
        found[name] = near[:, :, AT[name]].astype(np.float64)[index[-width:]]
        found[name][missing[-width:]] = np.nan
    return found


def padded(values: NDArray[Any], end: int, width: int) -> NDArray[Any]:
    """The `width` rows before `end`, NaN where there are none."""
    window = values[max(end - width, 0) : end]
    if len(window) == width:
        return window
    return np.concatenate([np.full((width - len(window), *values.shape[1:]), np.nan, values.dtype), window])
