"""Which tags travel together, so that a value that several pages see is encoded once whatever else they see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

NOBODY: Final = 0
"""The part of the tags that no page wants."""


@dataclass(eq=False)
class View:
    """A set of tags that one or more pages see: their paths, and their numbers in the server's table."""

    tags: tuple[str, ...]
    indices: NDArray[np.int32]
    mark: np.uint64
    readers: int = 0
    split: Split | None = None
    parts: list[int] = field(default_factory=list)

    def parts_in(self, split: Split) -> list[int]:
        """The parts of a split that make up this view."""
        if self.split is not split:
            self.split, self.parts = split, np.unique(split.of(self.indices)).tolist()
        return self.parts


@dataclass(frozen=True, eq=False)
class Split:
    """The part of every tag number. Two tags are in one part when exactly the same views contain them."""

    owner: NDArray[np.int64]

    def of(self, index: NDArray[np.int32]) -> NDArray[np.int64]:
        """The part of each tag number; `NOBODY` for one that no view contains."""
        known = index < len(self.owner)
        return np.where(known, self.owner[np.where(known, index, 0)] if len(self.owner) else NOBODY, NOBODY)


class Marks:
    """The views that are open. Each marks its tags with a random number; equal sums of marks make a part.

    >>> marks = Marks()
    >>> one = marks.open(("a", "b"), np.array([0, 1], np.int32))
    >>> two = marks.open(("b",), np.array([1], np.int32))
    >>> len(one.parts_in(marks.split())), len(two.parts_in(marks.split()))
    (2, 1)
    """

    def __init__(self) -> None:
        self._views: dict[tuple[str, ...], View] = {}
        self._sums = np.zeros(0, np.uint64)
        self._split: Split | None = None
        self._random = np.random.default_rng()

    def open(self, tags: tuple[str, ...], indices: NDArray[np.int32]) -> View:
        """The view of these tags, with one reader more."""
        view = self._views.get(tags)
        if view is None:
            mark = self._random.integers(1, 1 << 63, dtype=np.uint64)
            view = self._views[tags] = View(tags, indices, mark)
            self._add(indices, mark)
        view.readers += 1
        return view

    def close(self, view: View) -> None:
        """One reader less; a view without readers is forgotten."""
        view.readers -= 1
        if not view.readers:
            del self._views[view.tags]
            self._sums[view.indices] -= view.mark
            self._split = None

    def split(self) -> Split:
        """How the tags are parted now."""
        if self._split is None:
            _, owner = np.unique(np.concatenate([[np.uint64(0)], self._sums]), return_inverse=True)
            self._split = Split(owner[1:].astype(np.int64))
        return self._split

    def _add(self, indices: NDArray[np.int32], mark: np.uint64) -> None:
        missing = int(indices.max(initial=-1)) + 1 - len(self._sums)
        if missing > 0:
            self._sums = np.concatenate([self._sums, np.zeros(missing, np.uint64)])
        self._sums[indices] += mark
        self._split = None
