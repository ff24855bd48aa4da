"""Rows of the store as a query reads them: one `Read` for each tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.influx.ql.index import Place
from shopfloor.services.influx.ql.series import Store, Values, check_size


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The rows of one tag: UTC ns, number (NaN for texts), text (None for numbers), StatusCode."""

    time: NDArray[np.int64]
    value: NDArray[np.float64]
    text: NDArray[Any] | None
    quality: NDArray[np.uint32]

    def of(self, place: Place) -> Values:
        """The values of a field; a gap where the row holds none."""
        if place.is_quality:
            return list(self.quality.tolist())
        values: Values = [None if number != number else number for number in self.value.tolist()]  # noqa: PLR0124 (NaN)
        if place.kind is Kind.INT:
            values = [None if number is None else int(number) for number in values]
        if self.text is None:
            return values
        return [number if text is None else text for number, text in zip(values, self.text.tolist(), strict=True)]


def read(store: Store, paths: list[str], start: int, end: int) -> dict[str, Read]:
    """The rows of every path that has some in [start, end)."""
    table = store.reader.read(paths, start, end)
    check_size(table.num_rows)
    if not table.num_rows:
        return {}
    record = table.combine_chunks().to_batches()[0]
    tag = record.column("tag")
    index = tag.indices.to_numpy()
    cuts = np.append(np.flatnonzero(np.append(True, index[1:] != index[:-1])), len(index))
    time = record.column("time").view(pa.int64()).to_numpy(zero_copy_only=False)
    value = record.column("value").to_numpy(zero_copy_only=False)
    quality = record.column("quality").to_numpy(zero_copy_only=False)
    text = record.column("text")
    names = tag.dictionary.to_pylist()
    found = {}
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        part = text[low:high]
        words = part.to_numpy(zero_copy_only=False) if part.null_count < len(part) else None
        found[names[index[low]]] = Read(time[low:high], value[low:high], words, quality[low:high])
    return found
