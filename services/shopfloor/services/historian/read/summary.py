"""Summaries of parts of a plant over a calendar, out of what any `plant.Reader` answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import QuestionError, Reader
from shopfloor.services.historian.read.answers import TIME, dictionary, nullable
from shopfloor.services.historian.read.calendar import Periods
from shopfloor.services.historian.read.totals import MERGE, Totals
from shopfloor.services.historian.read.totals import merge as merge_totals
from shopfloor.services.historian.segments.rollup import Rollup, group_starts, merge
from shopfloor.services.historian.selector import group_of

_ACROSS: Final = {
    "n": "sum",
    "bad": "sum",
    "sum": "sum",
    "increase": "sum",
    "min": "min",
    "max": "max",
    "quality": "max",
}
"""What can be said of several tags together, and how; the first and last value belong to one tag."""

_ORDER: Final = ("n", "bad", "mean", "sum", "increase", "min", "max", "first", "last", "quality")


def summarize_by(
    reader: Reader, tags: Sequence[str], periods: Periods, by: str = "tag", of: Collection[str] = ()
) -> pa.Table:
    """One row per part of the plant (its path, see `selector.LEVELS`) and period in which it has values.

    Columns: group, time and end (of the period), shift (its name, where it has one), n, bad, mean, sum, increase (of
    counters, together where they are several), min, max, quality (worst), and by tag also first and last; with `of`,
    only those of them, and at less cost. Sorted by group in the order of `tags`, then by time. `QuestionError` says
    what there is not.
    """
    _check(of, by)
    start, end = int(periods.edges[0]), int(periods.edges[-1])
    regular = len(periods.edges) - 1 == -(-(end - start) // periods.step)
    needed = of if regular or set(of) <= {*_ACROSS, "mean"} - {"increase"} else ()
    table = reader.aggregate(tags, start, end, periods.step, of=needed)
    table = _with_increase(table) if not needed or "increase" in needed else table
    numbers = np.searchsorted(periods.edges, _numbers(table.column("time")), "right") - 1
    table = table.set_column(table.schema.get_field_index("time"), "period", pa.array(numbers.astype(np.int32)))
    if not regular:
        table = _united(table) if needed else _merged(table)
    return _answer(table if by == "tag" else _across(table, by), periods, of)


def _check(of: Collection[str], by: str) -> None:
    known = _ORDER if by == "tag" else [name for name in _ORDER if name in (*_ACROSS, "mean")]
    for name in of:
        if name not in known:
            raise QuestionError(f"There is no {name!r} by {by}: ask for {', '.join(known)}.")


def _with_increase(table: pa.Table) -> pa.Table:
    """A reader of another store may not know it."""
    return (
        table
        if "increase" in table.column_names
        else table.append_column("increase", pa.nulls(len(table), pa.float64()))
    )


def _united(table: pa.Table) -> pa.Table:
    """The buckets of each period of each tag as one, of columns that simply add up."""
    tag = table.column("tag").combine_chunks()
    names = [name for name in table.column_names if name in MERGE]
    part = Totals(
        tag.indices.to_numpy(), _numbers(table["period"].cast(pa.int64())), {n: _numbers(table[n]) for n in names}
    )
    whole = merge_totals([part], 1, 0, names)
    columns = {"tag": dictionary(tag.dictionary, whole.tag), "period": pa.array(whole.time.astype(np.int32))}
    return pa.table(columns | {name: nullable(whole.of[name]) for name in names})


def _merged(table: pa.Table) -> pa.Table:
    """The buckets of each period of each tag as one."""
    tag = table.column("tag").combine_chunks()
    period, increase = _numbers(table["period"].cast(pa.int64())), _numbers(table["increase"])
    given = {"tag": tag.indices, "time": table["period"].cast(pa.int64())}
    names = [entry.name for entry in fields(Rollup)]
    merged = merge([Rollup(*(_numbers(given[name] if name in given else table[name]) for name in names))], 1)
    if len(merged):
        rises = np.add.reduceat(np.nan_to_num(increase), group_starts(_numbers(tag.indices), period))
        merged = replace(merged, increase=np.where(merged.n > 0, rises, np.nan))
    columns = {"tag": dictionary(tag.dictionary, merged.tag), "period": pa.array(merged.time.astype(np.int32))}
    return pa.table(columns | {name: nullable(getattr(merged, name)) for name in names[2:]})


def _across(table: pa.Table, by: str) -> pa.Table:
    """The tags of each part of the plant together."""
    tag = table.column("tag").combine_chunks()
    parts = [group_of(path, by) for path in tag.dictionary.to_pylist()]
    names = list(dict.fromkeys(parts))
    number = {name: at for at, name in enumerate(names)}
    places = np.array([number[part] for part in parts], np.int32)
    table = table.append_column("group", pa.array(places[tag.indices.to_numpy()], pa.int32()))
    ways = {name: how for name, how in _ACROSS.items() if name in table.column_names}
    whole = table.group_by(["group", "period"], use_threads=False).aggregate([*ways.items()])
    whole = whole.sort_by([("group", "ascending"), ("period", "ascending")])
    columns = {"tag": dictionary(names, _numbers(whole["group"])), "period": whole["period"]}
    return pa.table(columns | {name: whole[f"{name}_{how}"] for name, how in ways.items()})


def _answer(table: pa.Table, periods: Periods, of: Collection[str]) -> pa.Table:
    number = table.column("period").to_numpy()
    columns: dict[str, Any] = {
        "group": table.column("tag"),
        "time": pa.array(periods.edges[number]).view(TIME),
        "end": pa.array(periods.edges[number + 1]).view(TIME),
    }
    if periods.names:
        columns["shift"] = pa.array(periods.names, pa.string()).take(pa.array(number))
    if "n" in table.column_names and "sum" in table.column_names:
        mean = pc.divide(table.column("sum"), pc.cast(table.column("n"), pa.float64()))
        table = table.append_column("mean", pc.if_else(pc.greater(table.column("n"), 0), mean, None))
    columns |= {name: table.column(name) for name in _ORDER if name in table.column_names and (not of or name in of)}
    return pa.table(columns)


def _numbers(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """Times as integers; NaN where there is nothing."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    numbers: NDArray[Any] = pa.chunked_array(column).to_numpy()
    return numbers
