"""The hull of the data that a model learned from: advice stays inside, for outside a model knows nothing.

Each feature has the range that holds all but its 1 % smallest and largest values. Together they have a covariance: it
says where the features that a setpoint moves are to be expected, given all others (Mahalanobis' distance, conditional).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NAMES: Final = ("hull low", "hull high", "hull centre", "hull scale", "hull precision")
_OUTSIDE: Final = 0.01
_FARTHEST: Final = 4.0
_SHRUNK: Final = 0.05
_Z: Final = 2.326  # 99 % of a normal distribution


def hull(x: NDArray[Any]) -> dict[str, Floats]:
    """What is sealed of rows [n, f]: low, high, centre and scale [f], precision [f, f] of the scaled features.

    A feature without a value has low = high = 0.

    >>> found = hull(np.linspace(0.0, 100.0, 1001)[:, None])
    >>> found["hull low"].tolist(), found["hull high"].tolist()
    ([1.0], [99.0])
    """
    known = np.where(np.isfinite(x), x, np.nan).astype(np.float64)
    known[:, np.isnan(known).all(axis=0)] = 0.0
    low, centre, high = np.nanquantile(known, [_OUTSIDE, 0.5, 1.0 - _OUTSIDE], axis=0)
    spread = np.nanstd(known, axis=0)
    scale = np.where(spread > 0.0, spread, 1.0)
    z = _scaled(known, centre, scale)
    shrunk = (1.0 - _SHRUNK) * (z.T @ z) / len(z) + _SHRUNK * np.eye(x.shape[1])
    precision = np.round(np.linalg.inv(shrunk), 6)
    return dict(zip(NAMES, (low, high, centre, scale, (precision + precision.T) / 2.0), strict=True))


def has_hull(arrays: Mapping[str, Any]) -> bool:
    """Whether a bundle's arrays tell of the hull."""
    return all(name in arrays for name in NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """Keeps what is made of one row, by moving a few of its features, inside the hull.

    Every moved feature lies in its range, and all of them where the unmoved ones let 99 % expect them; a row that was
    outside already may stay as far outside as it is.
    """

    moved: list[int]
    here: Floats
    low: Floats
    high: Floats
    scale: Floats
    off: Floats
    precision: Floats
    farthest: float

    @classmethod
    def of(cls, arrays: Mapping[str, Floats], row: NDArray[Any], columns: Sequence[int]) -> Guard:
        """The guard of a row [f] whose `columns` may move."""
        moved, here = list(columns), row[list(columns)].astype(np.float64)
        centre, scale, precision = (arrays[name] for name in NAMES[2:])
        z = _scaled(row.astype(np.float64), centre, scale)
        block = precision[np.ix_(moved, moved)]
        off: Floats = np.asarray(np.linalg.solve(block, precision[moved] @ z), np.float64)
        low, high = np.fmin(arrays["hull low"][moved], here), np.fmax(arrays["hull high"][moved], here)
        return cls(
            moved, here, low, high, scale[moved], off, block, max(_expected(len(moved)), float(off @ block @ off))
        )

    def holds(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Which rows [n, f] stay inside: [n]."""
        there = x[:, self.moved].astype(np.float64)
        known = ~np.isnan(there)
        within = ((there >= self.low) & (there <= self.high) | ~known).all(axis=1)
        away = self.off + np.where(known, (there - self.here) / self.scale, 0.0)
        near: NDArray[np.bool_] = ((away @ self.precision) * away).sum(axis=1) <= self.farthest + 1e-9
        return within & near


def _scaled(x: Floats, centre: Floats, scale: Floats) -> Floats:
    return np.clip(np.nan_to_num((x - centre) / scale), -_FARTHEST, _FARTHEST)


def _expected(freedom: int) -> float:
    """What 99 % of squared distances stay below (chi-squared, after Wilson and Hilferty)."""
    part = 2.0 / (9.0 * freedom)
    return float(freedom * (1.0 - part + _Z * part**0.5) ** 3)
