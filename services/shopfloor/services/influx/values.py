"""Parsed lines as batches of tags: paths, kinds and qualities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch, Kind, RejectedError
from shopfloor.services.historian.rows import DTYPES
from shopfloor.services.influx.cut import Column
from shopfloor.services.influx.lines import Lines, Mistake
from shopfloor.services.influx.names import Names, is_own

_MOST_STATUS: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Batches to store, one for each kind, and the lines whose names make no path."""

    batches: list[Batch]
    mistakes: list[Mistake]


def values(lines: Lines, names: Names, bucket: str, quality: str = "quality") -> Values:
    """Every field as a value of its tag.

    The integer field named `quality` is the StatusCode of the other values of its line. In the plant's own form a line
    with nothing else is a value that was not a number; in any other form it is a value of its own.
    """
    own = np.array([is_own(head) for head in lines.heads], bool)
    columns, status = _take_quality(lines, own, quality)
    batches, mistakes = [], []
    for kind, column in columns.items():
        if len(column.line):
            batch, wrong = _batch(lines, column, kind, names, bucket, status)
            batches.append(batch)
            mistakes += wrong
    return Values([batch for batch in batches if len(batch)], mistakes)


def _take_quality(lines: Lines, own: NDArray[np.bool_], quality: str) -> tuple[dict[Kind, Column], NDArray[np.uint32]]:
    """The columns without the qualities, and the quality of every line."""
    status = np.zeros(len(lines.time), np.uint32)
    column = lines.columns[Kind.INT]
    if quality not in lines.names:
        return lines.columns, status
    fields = sum(np.bincount(part.line, minlength=len(status)) for part in lines.columns.values())
    is_own = own[column.head] if len(own) else np.zeros(0, bool)
    is_status = (column.name == lines.names.index(quality)) & (column.value >= 0) & (column.value <= _MOST_STATUS)
    is_status &= is_own | (np.asarray(fields)[column.line] > 1)
    taken = column.take(np.flatnonzero(is_status))
    status[taken.line] = taken.value
    alone = taken.take(np.flatnonzero(np.asarray(fields)[taken.line] == 1))
    floats = _with_nan(lines, alone)
    return {**lines.columns, Kind.FLOAT: floats, Kind.INT: column.take(np.flatnonzero(~is_status))}, status


def _with_nan(lines: Lines, alone: Column) -> Column:
    """The floats, and NaN for the lines that hold a quality only."""
    floats = lines.columns[Kind.FLOAT]
    if not len(alone.line):
        return floats
    both = Column(
        np.append(floats.line, alone.line),
        np.append(floats.head, alone.head),
        np.append(floats.name, alone.name),
        np.append(floats.value, np.full(len(alone.line), np.nan)),
    )
    return both.take(np.argsort(both.line, kind="stable"))


def _batch(
    lines: Lines, column: Column, kind: Kind, names: Names, bucket: str, status: NDArray[np.uint32]
) -> tuple[Batch, list[Mistake]]:
    width = len(lines.names)
    pairs, tag = np.unique(column.head * width + column.name, return_inverse=True)
    paths: list[str] = []
    why: list[str] = []
    for pair in pairs.tolist():
        head, field = lines.heads[pair // width], lines.names[pair % width]
        try:
            paths.append(names.path(bucket, head, field))
            why.append("")
        except RejectedError as problem:
            paths.append("")
            why.append(str(problem))
    good = np.array([not sentence for sentence in why], bool)[tag]
    wrong = [Mistake(int(column.line[row]) + 1, 1, why[tag[row]]) for row in np.flatnonzero(~good).tolist()]
    value = column.value.astype(DTYPES[kind], copy=False)
    batch = Batch(tuple(paths), tag.astype(np.int32), lines.time[column.line], value, status[column.line])
    return (batch if good.all() else batch.take(good).used()), wrong
