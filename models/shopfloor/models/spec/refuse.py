"""Columns that no model may see raw: counters, encoders, clocks."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.spec.featurespec import SpecError
from shopfloor.models.spec.memory import Floats

_LEAST_STEPS: Final = 8
_DECIMALS: Final = 6


def refuse(name: str, values: Floats, asset: NDArray[np.int64] | None = None, resolution: float | None = None) -> None:
    """Raise `SpecError` with the sentence of `refused` when there is one."""
    if sentence := refused(name, values, asset, resolution):
        raise SpecError(sentence)


def refused(
    name: str, values: Floats, asset: NDArray[np.int64] | None = None, resolution: float | None = None
) -> str | None:
    """Why `values` [n] of the tag `name` must not enter a model as they are; None when they may.

    A counter, encoder or clock only ever rises (or only falls) within each `asset` [n]: live values lie outside all
    that was learned. And float32 must tell the tag's neighbouring values apart: `resolution` is its smallest step, in
    the tag's unit; when it is not told, the decimals of the values tell it.

    >>> refused("parts", np.arange(20.0))
    'parts only ever rises (a counter, encoder or clock): give its difference, or declare it as the time or the age.'
    >>> refused("temperature", np.tile([20.01, 20.02, 20.0], 9)) is None
    True
    """
    known = np.isfinite(values)
    values = values[known]
    asset = np.zeros(len(values), np.int64) if asset is None else asset[known]
    if direction := _one_way(values, asset):
        return (
            f"{name} only ever {direction} (a counter, encoder or clock): give its difference, or declare it as the"
            " time or the age."
        )
    return _too_coarse(name, values, resolution)


def _one_way(values: Floats, asset: NDArray[np.int64]) -> str | None:
    """`rises` or `falls` when it never does the other within an asset, and does so often in most of them."""
    order = np.argsort(asset, kind="stable")
    asset, values = asset[order], values[order]
    change = np.diff(values)[asset[1:] == asset[:-1]]
    inside = asset[1:][asset[1:] == asset[:-1]]
    for direction, steps in (("rises", change), ("falls", -change)):
        if len(steps) and (steps >= 0).all() and _often(steps > 0, inside):
            return direction
    return None


def _often(moved: NDArray[np.bool_], asset: NDArray[np.int64]) -> bool:
    code = np.unique(asset, return_inverse=True)[1]
    return bool(np.median(np.bincount(code, moved)) >= _LEAST_STEPS)


def _too_coarse(name: str, values: Floats, resolution: float | None) -> str | None:
    if not len(values):
        return None
    resolution = _decimals(values) if resolution is None else resolution
    spread = float(np.std(values)) or 1.0
    furthest = float(np.abs(values - values.mean()).max()) / spread
    coarse = float(np.spacing(np.float32(furthest))) * spread
    if resolution is None or coarse <= resolution:
        return None
    return (
        f"{name} moves in steps of {resolution:g} over a range where float32 steps by {coarse:.2g}: give its difference"
        " or its remainder, as for an encoder."
    )


def _decimals(values: Floats) -> float | None:
    """The power of ten that all values are multiples of, if any."""
    if np.abs(values).max() > 1e12:
        return None
    for digits in range(_DECIMALS + 1):
        if np.allclose(values, np.round(values, digits), rtol=0.0, atol=10.0 ** -(digits + 3)):
            return float(10.0**-digits)
    return None
