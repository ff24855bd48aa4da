"""The terms of advice: what may be moved, what shall come of it, what was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Control:
    """A setpoint that may be moved: its limits and its smallest step, in its unit, and the features it moves.

    Every column moves by as much as the setpoint; the first one is the setpoint itself.
    """

    tag: str
    low: float
    high: float
    columns: tuple[int, ...]
    step: float = 0.0


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the whole interval shall lie, in the model's unit."""

    low: float = -np.inf
    high: float = np.inf

    def missed(self, low: Floats, high: Floats) -> Floats:
        """By how much intervals [n] miss it; 0 where they lie inside."""
        return np.maximum(np.maximum(self.low - low, high - self.high), 0.0)


@dataclass(frozen=True, slots=True)
class Change:
    """One setpoint, from where to where."""

    tag: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Found:
    """What helps: the changes (none when nothing needs to change), and the interval that is promised after them."""

    changes: tuple[Change, ...]
    low: float
    high: float
    tried: int


@dataclass(frozen=True, slots=True)
class NoneFound:
    """Nothing helps inside limits and hull; how many candidates were tried, and by how much the best one misses."""

    tried: int
    missed: float
