"""Stored values of some tags, as Arrow, numpy or pandas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import ShopfloorError
from shopfloor.plant.quality import BAD

Column = tuple[NDArray[np.datetime64], NDArray[Any]]
"""Times [n], ascending, UTC ns; values [n], float64 or texts."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Values of tags. `arrow` has everything: tag, time (ns, UTC), value, text, quality (OPC UA StatusCode).

    >>> columns = {"tag": pa.array(["pump", "pump"]).dictionary_encode(), "value": [1.5, 2.0]}
    >>> columns |= {"time": pa.array([0, 1], pa.timestamp("ns", "UTC")), "text": pa.nulls(2, pa.string())}
    >>> columns |= {"quality": pa.array([0, 0x80000000], pa.uint32())}
    >>> History(pa.table(columns)).numpy()["pump"][1].tolist()
    [1.5, nan]
    """

    arrow: pa.Table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def numpy(self) -> dict[str, Column]:
        """Each tag's times [n] and values [n]: float64, or objects for a tag that holds texts.

        Where the quality is bad the value is NaN (None among texts). A tag without values is left out.
        """
        return dict(self._columns())

    def pandas(self) -> Any:
        """A frame with a column for each tag and a row for each time (UTC) at which one of them has a value.

        NaN where a tag has none at that time, or a bad one; `.ffill()` holds each value until the next. For the rows
        as they were stored, with their quality: `.arrow.to_pandas()`. Without pandas: `ShopfloorError`.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as missing:
            raise ShopfloorError(
                "pandas is not installed: run `pip install pandas`, or use .arrow or .numpy()."
            ) from missing
        columns = self.numpy()
        times = np.unique(np.concatenate([np.empty(0, "datetime64[ns]"), *(time for time, _ in columns.values())]))
        index = pd.DatetimeIndex(times, name="time").tz_localize("UTC")
        return pd.DataFrame({tag: _spread(column, times) for tag, column in columns.items()}, index=index)

    def _columns(self) -> Iterator[tuple[str, Column]]:
        table = self.arrow.unify_dictionaries().combine_chunks()
        if not table.num_rows:
            return
        coded = table.column("tag").chunk(0)
        code = coded.indices.to_numpy(zero_copy_only=False)
        order = np.argsort(code, kind="stable")
        names = coded.dictionary.to_pylist()
        for rows in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
            part = table.take(pa.array(rows))
            time = part.column("time").cast(pa.int64()).to_numpy().view("datetime64[ns]")
            yield str(names[code[rows[0]]]), (time, _values(part))


def _values(part: pa.Table) -> NDArray[Any]:
    usable = pc.less(part.column("quality"), BAD)
    if part.column("text").null_count == len(part):
        numbers = pc.if_else(usable, part.column("value"), None).to_numpy()
        return np.asarray(numbers, np.float64)
    either = [text if number is None else number for number, text in _pairs(part)]
    return np.array([value if ok else None for value, ok in zip(either, usable.to_pylist(), strict=True)], object)


def _pairs(part: pa.Table) -> Iterator[tuple[float | None, str | None]]:
    return zip(part.column("value").to_pylist(), part.column("text").to_pylist(), strict=True)


def _spread(column: Column, times: NDArray[np.datetime64]) -> NDArray[Any]:
    time, value = column
    out = np.full(len(times), np.nan, value.dtype)
    out[np.searchsorted(times, time)] = value
    return out
