"""The whole state of some assets of a line, in columns; what a checkpoint keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.simulators.line import Line
from shopfloor.simulators.noise import key_of, normal

PLANT_KEY = "plant_key"
"""The parameter that holds the key of what all assets of a line share: material lots, line current, weather."""

_PARAM_CHANNEL = 1 << 21


@dataclass(slots=True, eq=False)
class State:
    """Columns [asset, ...] of everything that changes.

    Physics `x`, setpoints `u`, lagged values `lag`, stuck readings `held` (NaN = none), last published codes `last` of
    on-change tags (NaN = never) and the steps `since` of their change.
    """

    x: NDArray[np.float64]
    u: NDArray[np.float64]
    lag: NDArray[np.float64]
    held: NDArray[np.float64]
    last: NDArray[np.float64]
    since: NDArray[np.int64]

    @classmethod
    def fresh(cls, line: Line, keys: Sequence[int], p: NDArray[np.float64], n: int) -> State:
        """Assets as they are at step `n` when nobody has watched them before."""
        tags = len(line.tags)
        rows = len(keys)
        x, u = [], []
        for a, key in enumerate(keys):
            row, setpoints = [0.0] * len(line.states), [spec.default for spec in line.setpoints]
            line.init(row, setpoints, p[a].tolist(), key, n)
            x.append(row)
            u.append(setpoints)
        nothing = np.full((rows, tags), math.nan)
        return cls(
            np.array(x),
            np.array(u),
            nothing.copy(),
            nothing.copy(),
            nothing.copy(),
            np.full((rows, tags), n, np.int64),
        )

    def copy(self) -> State:
        """An independent copy."""
        return State(*(getattr(self, field.name).copy() for field in fields(self)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def params_of(line: Line, seed: int, keys: Sequence[int]) -> NDArray[np.float64]:
    """Constants [asset, param] of each asset: the line's value, times its own scatter."""
    shared = float(key_of(seed, f"line/{line.id}"))
    rows = []
    for key in keys:
        row = [
            param.value * math.exp(param.spread * normal(key, i, _PARAM_CHANNEL)) if param.spread else param.value
            for i, param in enumerate(line.params)
        ]
        if PLANT_KEY in (names := [param.name for param in line.params]):
            row[names.index(PLANT_KEY)] = shared
        rows.append(row)
    return np.array(rows)
