"""Values on their way into batches: appended to columns, one set of columns for each kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from shopfloor.plant import Batch, Kind


@dataclass(slots=True)
class Column:
    """The columns of one kind."""

    names: dict[str, int] = field(default_factory=dict)
    tag: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float | int | str] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)

    def append(self, tag: str, time: int, value: float | str, quality: int) -> None:
        """Add one value."""
        index = self.names.get(tag)
        if index is None:
            index = self.names[tag] = len(self.names)
        self.tag.append(index)
        self.time.append(time)
        self.value.append(value)
        self.quality.append(quality)


@dataclass(slots=True)
class Columns:
    """What is collected for the next batches.

    >>> columns = Columns()
    >>> columns.float.append("a/b/c/d/e/t", 1, 2.5, 0)
    >>> [(batch.names, batch.value.tolist()) for batch in columns.batches()]
    [(('a/b/c/d/e/t',), [2.5])]
    """

    float: Column = field(default_factory=Column)
    int: Column = field(default_factory=Column)
    text: Column = field(default_factory=Column)

    def batches(self) -> Iterator[Batch]:
        """One batch of each kind that has values."""
        dtypes = ((Kind.FLOAT, self.float, np.float64), (Kind.INT, self.int, np.int64), (Kind.TEXT, self.text, object))
        for _, column, dtype in dtypes:
            if column.tag:
                yield Batch(
                    tuple(column.names),
                    np.array(column.tag, np.int32),
                    np.array(column.time, np.int64),
                    np.array(column.value, dtype),
                    np.array(column.quality, np.uint32),
                )
