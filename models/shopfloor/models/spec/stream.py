"""Online: rows of assets as they come, and their features at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from shopfloor.models.spec.featurespec import FeatureSpec, SpecError
from shopfloor.models.spec.memory import Floats, Ints, Matrix, Memory, step


class Stream:
    """The features of any number of assets, value by value; each asset's memory is 7 to 17 numbers for each input.

    >>> stream = Stream(FeatureSpec.plain(("load",), remembered=("load",)))
    >>> _ = stream.push(["pump"], np.array([0]), np.array([[1.0]]))
    >>> stream.push(["pump"], np.array([1]), np.array([[3.0]]))[0, 6].item()
    2.0
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._place: dict[str, int] = {}
        self._memory = Memory.of(spec, 8)

    def push(self, assets: Sequence[str], time: Ints, values: Floats) -> Matrix:
        """Features [n, f] of the next row of n different assets. `time` [n], `values` [n, inputs] raw.

        Raises `SpecError` when an asset is named twice: its rows have an order, so push them one after the other.
        """
        if len(set(assets)) != len(assets):
            raise SpecError("One push takes one row of each asset: push the rows of an asset one after the other.")
        places = np.array([self._place_of(name) for name in assets], np.int64)
        memory = self._memory.take(places)
        found = step(self.spec, memory, np.asarray(time, np.int64), np.asarray(values, np.float64))
        self._memory.put(places, memory)
        return found

    def forget(self, asset: str) -> None:
        """Its next row is its first: a new tool, a new run."""
        if asset in self._place:
            self._memory.put(slice(self._place[asset], self._place[asset] + 1), self._nothing(1))

    def _place_of(self, asset: str) -> int:
        place = self._place.setdefault(asset, len(self._place))
        if place >= len(self._memory.first):
            wider = self._nothing(2 * place)
            wider.put(slice(0, len(self._memory.first)), self._memory)
            self._memory = wider
        return place

    def _nothing(self, assets: int) -> Memory:
        return Memory.of(self.spec, assets)
