"""What a server store answered, in columns, whatever it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind, TagPath
from shopfloor.services.historian.read.answers import COLUMNS, rows_table
from shopfloor.services.historian.rows import Rows, empty, order
from shopfloor.services.historian.rows import join as join_rows
from shopfloor.services.historian.segments.rollup import Rollup


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Rows whose tag is the place in the tags asked for; `text` is None for a number, whose place in rows is NaN."""

    rows: Rows
    text: NDArray[Any]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: NDArray[Any] | slice) -> Values:
        """The chosen ones."""
        return Values(self.rows.take(chosen), self.text[chosen])

    def is_number(self) -> NDArray[np.bool_]:
        """Which of them are no text."""
        mask: NDArray[np.bool_] = pa.array(self.text, pa.string()).is_null().to_numpy(zero_copy_only=False)
        return mask

    def numbers(self) -> Rows:
        """Those that are no text."""
        is_number = self.is_number()
        return self.rows if is_number.all() else self.rows.take(is_number)

    def sorted(self) -> Values:
        """By (tag, time); equal ones as they came."""
        index = order(self.rows.tag, self.rows.time)
        return self if index is None else self.take(index)

    def table(self, names: Sequence[str], columns: Sequence[str] = COLUMNS, first: int = 0) -> pa.Table:
        """The answer of `Reader.read`; tag 0 of the rows is `names[first]`."""
        text = None if self.is_number().all() else self.text
        return rows_table(list(names), self.rows, text, columns, first)


def numbers_only(rows: Rows) -> Values:
    """Rows of numbers as values."""
    return Values(rows, np.full(len(rows), None, object))


def join(parts: Sequence[Values]) -> Values:
    """All of them, in order."""
    rows = join_rows([part.rows for part in parts], Kind.FLOAT)
    return Values(rows, np.concatenate([part.text for part in parts]) if parts else np.empty(0, object))


def from_table(table: pa.Table, names: Sequence[str]) -> Values:
    """What `Values.table` made of any reader's answer, with tags numbered as in `names`."""
    if not table.num_rows:
        return numbers_only(empty(Kind.FLOAT))
    value = table.column("value").to_numpy().astype(np.float64)
    rows = Rows(
        places(table, names),
        table.column("time").cast(pa.int64()).to_numpy(),
        value,
        table.column("quality").to_numpy(),
    )
    return Values(rows, np.array(table.column("text").to_pylist(), object))


def places(table: pa.Table, names: Sequence[str]) -> NDArray[np.int32]:
    """The place in `names` of the tag of every row of an answer."""
    tag = table.column("tag").unify_dictionaries().combine_chunks()
    tag = tag if isinstance(tag, pa.DictionaryArray) else tag.chunk(0)
    place = {name: at for at, name in enumerate(names)}
    found = np.array([place.get(name, -1) for name in tag.dictionary.to_pylist()], np.int32)
    index: NDArray[np.int32] = found[tag.indices.to_numpy()] if len(tag) else np.empty(0, np.int32)
    return index


class Language(Protocol):
    """How one product is asked. Tags are numbered by their place in `tags`; times are UTC ns, `end` exclusive.

    Every method raises `StoreError` when the server does not answer, or not what was asked.
    """

    def values(self, tags: Sequence[TagPath], start: int, end: int) -> Values:
        """Every value, sorted by (tag, time), each (tag, time) once."""
        ...

    def last(self, tags: Sequence[TagPath], before: int) -> Values:
        """The last value of each tag before a time."""
        ...

    def count(self, tags: Sequence[TagPath], start: int, end: int) -> int:
        """About how many values they have in all."""
        ...

    def summaries(self, tags: Sequence[TagPath], start: int, end: int, every: int) -> Rollup:
        """Summaries of the numbers in buckets of `every` ns counted from `start`, exactly."""
        ...

    def outline(self, tag: TagPath, start: int, end: int, every: int) -> Rollup:
        """Summaries to draw a picture of: as cheap as the server can, exact but for values that were sent twice."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...
