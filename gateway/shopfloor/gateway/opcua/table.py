"""One kind of value on its way into a batch: columns in pieces, and one table of names that only grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from shopfloor.plant import Batch

_Piece = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[Any], NDArray[np.uint32]]


@dataclass(slots=True)
class Table:
    """Rows in their order. `by_handle` is the place of each item's tag among the names, -1 before its first value.

    The names are one tuple from batch to batch, so that what is made from them needs to be made once.
    """

    dtype: DTypeLike
    size: int
    by_handle: NDArray[np.int32] = field(init=False)
    _names: tuple[str, ...] = ()
    _index: dict[str, int] = field(default_factory=dict)
    _pieces: list[_Piece] = field(default_factory=list)
    _rows: tuple[list[int], list[int], list[Any], list[int]] = field(default_factory=lambda: ([], [], [], []))

    def __post_init__(self) -> None:
        self.by_handle = np.full(self.size, -1, np.int32)

    def place(self, tag: str) -> int:
        """Where a tag stands among the names."""
        return self._index.setdefault(tag, len(self._index))

    def add(self, tag: str, time: int, value: Any, status: int) -> None:
        """One row."""
        places, times, values, statuses = self._rows
        places.append(self._index.setdefault(tag, len(self._index)))
        times.append(time)
        values.append(value)
        statuses.append(status)

    def extend(
        self, places: NDArray[np.int32], time: NDArray[np.int64], value: NDArray[Any], status: NDArray[np.uint32]
    ) -> None:
        """Many rows."""
        self._close()
        self._pieces.append((places, time, value, status))

    def take(self) -> Batch | None:
        """The rows since the last time, or None when there are none."""
        self._close()
        if not self._pieces:
            return None
        if len(self._names) != len(self._index):
            self._names = tuple(self._index)
        pieces, self._pieces = self._pieces, []
        places, times, values, statuses = (_joined(column) for column in zip(*pieces, strict=True))
        return Batch(self._names, places, times, values, statuses)

    def _close(self) -> None:
        """Turn the single rows into a piece."""
        places, times, values, statuses = self._rows
        if not places:
            return
        self._rows = ([], [], [], [])
        self._pieces.append(
            (
                np.array(places, np.int32),
                np.array(times, np.int64),
                np.array(values, self.dtype),
                np.array(statuses, np.uint32),
            )
        )


def _joined(column: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    return np.concatenate(column) if len(column) > 1 else np.ascontiguousarray(column[0])
