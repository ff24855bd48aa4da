"""The shapes of a plant's values, each generated for many tags at once."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""One line per tag, one column per step."""


class Shape(StrEnum):
    """What a tag's values look like."""

    SLOW = "slow"
    NOISY = "noisy"
    COUNTER = "counter"
    BOOLEAN = "boolean"
    VIBRATION = "vibration"


_GRID: Final = 5.0  # steps of 0.2
_WALK: Final = 0.03
_PARTS: Final = 0.3
_TURN: Final = 0.05


class Signals:
    """Tags of one shape; `take` goes on where it stopped. The same seed and steps give the same values.

    >>> Signals(Shape.BOOLEAN, 2, np.random.default_rng(1)).take(3).shape
    (2, 3)
    """

    def __init__(self, shape: Shape, tags: int, random: np.random.Generator) -> None:
        self._make = _SHAPES[shape]
        self._random = random
        self._state: dict[str, Any] = {
            "step": 0,
            "level": np.floor(random.uniform(20, 90, tags)) if shape is not Shape.COUNTER else np.zeros(tags),
            "spread": random.uniform(0.2, 4.0, tags),
            "pitch": random.uniform(0.1, 2.5, tags),
        }

    def take(self, steps: int) -> Values:
        """The next values of every tag."""
        values = self._make(self._state, self._random, steps)
        self._state["step"] += steps
        return values


def _slow(state: dict[str, Any], random: np.random.Generator, steps: int) -> Values:
    """A walk, seen through a deadband of 0.2."""
    level: Values = state["level"]
    walk = level[:, None] + np.cumsum(random.normal(0.0, _WALK, (len(level), steps)), axis=1)
    state["level"] = walk[:, -1]
    return np.asarray(np.rint(walk * _GRID) / _GRID)


def _noisy(state: dict[str, Any], random: np.random.Generator, steps: int) -> Values:
    """Noise around a level, as a float32 device sends it."""
    level, spread = state["level"][:, None], state["spread"][:, None]
    noise = random.standard_normal((len(level), steps), np.float32)
    return np.asarray(level + spread * noise, np.float32).astype(np.float64)


def _counter(state: dict[str, Any], random: np.random.Generator, steps: int) -> Values:
    """Whole numbers that only grow."""
    level: Values = state["level"]
    counted = level[:, None] + np.cumsum(random.random((len(level), steps)) < _PARTS, axis=1)
    state["level"] = counted[:, -1]
    return np.asarray(counted)


def _boolean(state: dict[str, Any], random: np.random.Generator, steps: int) -> Values:
    """0 or 1, turning every twenty steps or so."""
    level: Values = state["level"]
    turned = level[:, None] + np.cumsum(random.random((len(level), steps)) < _TURN, axis=1)
    state["level"] = turned[:, -1] % 2
    return np.asarray(turned % 2)


def _vibration(state: dict[str, Any], random: np.random.Generator, steps: int) -> Values:
    """Two tones and noise, float32."""
    at = np.arange(state["step"], state["step"] + steps)
    pitch, spread = state["pitch"][:, None], state["spread"][:, None]
    tones = np.sin(pitch * at) + 0.3 * np.sin(2.7 * pitch * at)
    noise = random.standard_normal(tones.shape, np.float32)
    return np.asarray(spread * (tones + 0.1 * noise), np.float32).astype(np.float64)


_SHAPES: Final[dict[Shape, Callable[[dict[str, Any], np.random.Generator, int], Values]]] = {
    Shape.SLOW: _slow,
    Shape.NOISY: _noisy,
    Shape.COUNTER: _counter,
    Shape.BOOLEAN: _boolean,
    Shape.VIBRATION: _vibration,
}
