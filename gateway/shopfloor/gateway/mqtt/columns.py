"""Values on their way into batches: rows of one kind, turned into columns all at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from shopfloor.plant import Batch


@dataclass(slots=True)
class Rows:
    """The values of one kind: index of the tag, time (UTC ns), value, quality."""

    dtype: type
    names: dict[str, int] = field(default_factory=dict)
    rows: list[tuple[int, int, float | int | str, int]] = field(default_factory=list)

    def append(self, tag: str, time: int, value: float | str, quality: int) -> None:
        """Add one value."""
        index = self.names.get(tag)
        if index is None:
            index = self.names[tag] = len(self.names)
        self.rows.append((index, time, value, quality))

    def extend(self, other: Rows) -> None:
        """Add all of another."""
        names = list(other.names)
        for index, time, value, quality in other.rows:
            self.append(names[index], time, value, quality)

    def batch(self) -> Batch:
        """All of them as one batch."""
        tag, time, value, quality = zip(*self.rows, strict=True)
        return Batch(
            tuple(self.names),
            np.array(tag, np.int32),
            np.array(time, np.int64),
            np.array(value, self.dtype),
            np.array(quality, np.uint32),
        )


@dataclass(slots=True)
class Columns:
    """What is collected for the next batches.

    >>> columns = Columns()
    >>> columns.float.append("a/b/c/d/e/t", 1, 2.5, 0)
    >>> [(batch.names, batch.value.tolist()) for batch in columns.batches()]
    [(('a/b/c/d/e/t',), [2.5])]
    """

    float: Rows = field(default_factory=lambda: Rows(np.float64))
    int: Rows = field(default_factory=lambda: Rows(np.int64))
    text: Rows = field(default_factory=lambda: Rows(object))

    def extend(self, other: Columns) -> None:
        """Add all of another."""
        self.float.extend(other.float)
        self.int.extend(other.int)
        self.text.extend(other.text)

    def batches(self) -> Iterator[Batch]:
        """One batch of each kind that has values."""
        for rows in (self.float, self.int, self.text):
            if rows.rows:
                yield rows.batch()
