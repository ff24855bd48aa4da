"""Steps that bend features: piecewise polynomials (splines) and products of powers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]
Parts = Mapping[str, NDArray[Any]]
_HIGHEST: Final = 9


def splines(x: Rows, parts: Parts) -> Rows:
    """Each column as several piecewise polynomials: [n, f] to [n, f * m].

    `knots` [f, k] rise; `weights` [f, k + 1, degree + 1, m] are the coefficients, constant first, of the pieces before,
    between and after the knots, in the distance from the knot at their left (of the first piece, at its right).

    >>> hinge = {"knots": np.array([[1.0]]), "weights": np.array([[[[0.0], [0.0]], [[0.0], [1.0]]]])}
    >>> splines(np.array([[0.0], [3.0]]), hinge).tolist()
    [[0.0], [2.0]]
    """
    knots, weights = parts["knots"], parts["weights"]
    said = []
    for column in range(x.shape[1]):
        piece = np.searchsorted(knots[column], x[:, column], "right")
        away = (x[:, column] - knots[column][np.maximum(piece - 1, 0)])[:, None]
        chosen = weights[column][piece]
        value = chosen[:, -1]
        for power in range(chosen.shape[1] - 2, -1, -1):
            value = value * away + chosen[:, power]
        said.append(value)
    return np.concatenate(said, axis=1)


def products(x: Rows, parts: Parts) -> Rows:
    """Products of powers of the columns: [n, f] to [n, m], by `powers` [m, f].

    >>> products(np.array([[2.0, 3.0]]), {"powers": np.array([[0, 0], [1, 0], [1, 2]])}).tolist()
    [[1.0, 2.0, 18.0]]
    """
    said = np.ones((len(x), len(parts["powers"])))
    for column in range(x.shape[1]):
        said *= x[:, [column]] ** parts["powers"][:, column]
    return said


def spline_width(parts: Parts, width: int, most: int) -> int:
    """Columns that come out of `splines`; raises `ValueError` when its arrays do not fit."""
    knots, weights = parts["knots"], parts["weights"]
    fits = knots.ndim == 2 and weights.ndim == 4 and len(knots) == len(weights) == width and knots.shape[1] > 0
    if not fits or weights.shape[1] != knots.shape[1] + 1 or not 0 < weights.shape[2] <= _HIGHEST + 1:
        raise ValueError("its splines have other columns or pieces")
    finite = all(array.dtype == np.float64 and np.isfinite(array).all() for array in (knots, weights))
    if not finite or (np.diff(knots, axis=1) < 0).any() or not 0 < width * weights.shape[3] <= most:
        raise ValueError("its splines have no rising, finite numbers, or too many")
    return width * int(weights.shape[3])


def product_width(parts: Parts, width: int, most: int) -> int:
    """Columns that come out of `products`; raises `ValueError` when its array does not fit."""
    powers = parts["powers"]
    fits = powers.ndim == 2 and powers.shape[1] == width and powers.dtype == np.int64 and 0 < len(powers) <= most
    if not fits or (powers < 0).any() or (powers > _HIGHEST).any():
        raise ValueError("its products have other columns or powers")
    return len(powers)
