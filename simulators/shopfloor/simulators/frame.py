"""What one step of a line publishes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Change:
    """A new value of a tag that is published on change. `asset` and `tag` are indices; text is already text."""

    asset: int
    tag: int
    time: int
    value: float | int | str
    quality: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """All values of one step of length `dt_ns` that begins at `time` (UTC ns).

    `fast` [asset, i, sub] holds tag `line.fast[i]` at `sub_times()[sub]`; `slow` [asset, i] holds tag
    `line.slow[i]` at `time`. Qualities (OPC UA StatusCodes) hold for the whole step; a bad value is NaN.
    """

    time: int
    dt_ns: int
    fast: NDArray[np.float64]
    fast_quality: NDArray[np.uint32]
    slow: NDArray[np.float64]
    slow_quality: NDArray[np.uint32]
    changes: list[Change] = field(default_factory=list)

    def sub_times(self) -> list[int]:
        """UTC ns of each sub-sample."""
        rate = self.fast.shape[2]
        return [self.time + k * self.dt_ns // rate for k in range(rate)]
