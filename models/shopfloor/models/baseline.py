"""Trivial rules that a model must beat: anyone on the floor can apply them without it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.features import PART_FEATURES, Matrix

Floats = NDArray[np.float64]


def part_column(x: Matrix, name: str) -> Floats:
    """One feature of the rows [n, PART_FEATURES]."""
    return x[:, PART_FEATURES.index(name)].astype(np.float64)


def last_probe(x: Matrix, otherwise: float) -> Floats:
    """The dimension stays what the last probe of this machine said."""
    said = part_column(x, "probe dimension")
    return np.where(np.isnan(said), otherwise, said)


def usual_life(x: Matrix, mean_life: float) -> Floats:
    """Remaining minutes: how long this machine's last tools lived on average (or all tools), less this tool's age."""
    life = part_column(x, "life mean")
    age = part_column(x, "minutes") + part_column(x, "cut") / 60.0
    return np.maximum(np.where(np.isnan(life), mean_life, life) - age, 0.0)


def base_rate(truth: NDArray[np.bool_]) -> float:
    """How often it happens at all.

    >>> base_rate(np.array([True, False, False, False]))
    0.25
    """
    return float(np.mean(truth)) if len(truth) else 0.0
