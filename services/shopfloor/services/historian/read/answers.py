"""What the store answers, as Arrow tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import QuestionError
from shopfloor.services.historian.read.totals import Totals
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.rollup import Rollup, increases

COLUMNS: Final = ("tag", "time", "value", "text", "quality")
"""What `Reader.read` answers."""

SUMMARY: Final = (
    "n", "bad", "sum", "min", "max", "first", "last", "increase", "first_time", "last_time", "quality",
)  # fmt: skip
"""What `Reader.aggregate` answers, beside tag and time."""

_TIMES: Final = ("first_time", "last_time")

TIME: Final = pa.timestamp("ns", "UTC")


def rows_table(names: list[str], rows: Rows, text: NDArray[Any] | None, columns: Sequence[str], first: int) -> pa.Table:
    """The chosen columns; `text` is None when every row is a number; tag 0 of the rows is `names[first]`."""
    texts = pa.nulls(len(rows), pa.string()) if text is None else pa.array(text, pa.string())

    def value() -> pa.Array:
        is_text = None if text is None else texts.is_valid().to_numpy(zero_copy_only=False)
        return pa.array(rows.value, pa.float64(), mask=is_text, from_pandas=False)

    build: dict[str, Callable[[], pa.Array]] = {
        "tag": lambda: dictionary(names, rows.tag + np.int32(first)),
        "time": lambda: pa.array(rows.time).view(TIME),
        "value": value,
        "text": lambda: texts,
        "quality": lambda: pa.array(rows.quality),
    }
    return pa.table({name: build[name]() for name in columns})


def summary_columns(of: Collection[str]) -> list[str]:
    """The columns of `aggregate` that answer for those asked. `QuestionError` names one that is not known.

    >>> summary_columns(["mean", "max", "n"])
    ['n', 'sum', 'max']
    """
    for name in of:
        if name not in (*SUMMARY, "mean"):
            raise QuestionError(f"There is no {name!r} of values: ask for {', '.join((*SUMMARY, 'mean'))}.")
    return list(dict.fromkeys(name for asked in of for name in (("n", "sum") if asked == "mean" else (asked,))))


def columns_of(table: pa.Table, of: Collection[str]) -> pa.Table:
    """An answer of `aggregate` with those columns that were asked for; all of them when none was named."""
    return table.select(["tag", "time", *summary_columns(of)]) if of else table


def rollup_table(names: list[str], rollup: Rollup, first: int) -> pa.Table:
    """The answer of `aggregate`; tag 0 of the rollup is `names[first]`."""
    build = {name: getattr(rollup, name) for name in SUMMARY if name != "increase"}
    return _summaries(names, rollup.tag + np.int32(first), rollup.time, build | {"increase": increases(rollup)})


def totals_table(names: list[str], totals: Totals) -> pa.Table:
    """The answer of `aggregate` of a few columns."""
    return _summaries(names, totals.tag, totals.time, totals.of)


def _summaries(
    names: list[str], tag: NDArray[np.int32], time: NDArray[np.int64], of: Mapping[str, NDArray[Any]]
) -> pa.Table:
    columns = {"tag": dictionary(names, tag), "time": pa.array(time).view(TIME)}
    for name in SUMMARY if len(of) == len(SUMMARY) else of:
        columns[name] = pa.array(of[name]).view(TIME) if name in _TIMES else nullable(of[name])
    return pa.table(columns)


def dictionary(names: Sequence[str] | pa.Array, index: NDArray[np.int32]) -> pa.DictionaryArray:
    """Names by their place in `names`."""
    return pa.DictionaryArray.from_arrays(
        pa.array(index, pa.int32()), names if isinstance(names, pa.Array) else pa.array(names, pa.string())
    )


def nullable(column: NDArray[Any]) -> pa.Array:
    """A column in which NaN means that there is nothing."""
    return pa.array(column, mask=np.isnan(column)) if column.dtype == np.float64 else pa.array(column)


def pictured(
    time: NDArray[np.int64], value: NDArray[Any], low: NDArray[Any], high: NDArray[Any], quality: NDArray[np.uint32]
) -> pa.Table:
    """The points of a picture."""
    columns = {"time": pa.array(time).view(TIME)}
    columns |= {name: pa.array(data, pa.float64()) for name, data in (("value", value), ("low", low), ("high", high))}
    return pa.table(columns | {"quality": pa.array(quality)})


def picture(rollup: Rollup, every: int) -> pa.Table:
    """Buckets of `every` ns as points: the mean at the middle of the bucket's own values, NaN where all were bad.

    A value holds until the next one, and a mean does not: a bucket that is followed by an empty one, or by none, gets
    its last value as a second point. One with bad values does not: which of them came last is not known.
    """
    with np.errstate(invalid="ignore"):
        mean = np.where(rollup.n > 0, rollup.sum / np.maximum(rollup.n, 1), np.nan)
    middle = rollup.first_time + (rollup.last_time - rollup.first_time) // 2
    follows = np.append(np.diff(rollup.time) <= every, False)
    ends = np.flatnonzero(~follows & (rollup.n > 1) & (rollup.bad == 0))
    order_ = np.argsort(np.concatenate([np.arange(len(rollup)), ends]), kind="stable")
    last = rollup.last[ends]
    both = [
        np.concatenate(pair)[order_]
        for pair in (
            (middle, rollup.last_time[ends]),
            (mean, last),
            (rollup.min, last),
            (rollup.max, last),
            (rollup.quality, rollup.quality[ends]),
        )
    ]
    return pictured(*both)


def chosen(rows: Rows, points: int) -> pa.Table:
    """The rows that draw the same picture (M4); all of them where they are no more than `points`."""
    if len(rows) > points:
        from tsdownsample import NaNM4Downsampler

        count = max(points // 4 * 4, 4)
        index = NaNM4Downsampler().downsample(rows.time, np.ascontiguousarray(rows.value, np.float64), n_out=count)
        rows = rows.take(np.unique(index.astype(np.int64)))
    return pictured(rows.time, rows.value, rows.value, rows.value, rows.quality)
