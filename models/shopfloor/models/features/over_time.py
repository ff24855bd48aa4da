"""What a window says: reductions over time, the first axis of [t, ...], in one order whatever stands beside it.

Sums run from the oldest row to the newest, each place for itself: how many pots or moments are described at once does
not change one bit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from shopfloor.models.bins import BIN, mean
from shopfloor.models.columns import MINUTE, Floats

_PER_MINUTE: Final = BIN / MINUTE


def spread(x: Floats) -> Floats:
    """Standard deviation; NaN where less than three are known."""
    away = x - mean(x, 0)
    return np.where((~np.isnan(x)).sum(0) >= 3, np.sqrt(mean(away * away, 0)), np.nan)


def slope(x: Floats) -> Floats:
    """Least-squares slope of bins per minute; missing values count as the mean."""
    t = _centred(len(x)).reshape(-1, *(1,) * (x.ndim - 1))
    away = np.nan_to_num(x - mean(x, 0), nan=0.0)
    found: Floats = (t * away).sum(0) / (t * t).sum()
    return np.where(np.isnan(x).all(0), np.nan, found)


def _centred(bins: int) -> Floats:
    """Minutes of bins from their middle."""
    minutes: Floats = (np.arange(bins, dtype=np.float64) - (bins - 1) / 2.0) * _PER_MINUTE
    return minutes


def run(mode: Floats) -> Floats:
    """Minutes that a mode has lasted, within the window; 0 when it is not on."""
    off = ~(mode[::-1] > 0)
    length = np.where(off.any(0), off.argmax(0), len(mode))
    return length * _PER_MINUTE


def since(mode: Floats) -> Floats:
    """Minutes since a mode was last on; inf when it was not."""
    recent = mode[::-1] > 0
    return np.where(recent.any(0), recent.argmax(0) * _PER_MINUTE, np.inf)


def peak(x: Floats) -> Floats:
    """Highest known value; NaN where none is."""
    highest = np.max(np.where(np.isnan(x), -np.inf, x), axis=0)
    return np.where(np.isinf(highest), np.nan, highest)
