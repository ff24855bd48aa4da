"""The table `samples` of SQL: every stored value once, out of files that may repeat each other."""

# ruff: noqa: S608 (names of our own files and numbers are all that is put into SQL here)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from shopfloor.plant import Kind
from shopfloor.services.historian.read.sql import quoted
from shopfloor.services.historian.rows import collapse, join, sort
from shopfloor.services.historian.segments.segment import Segment, to_table
from shopfloor.services.historian.shelf import View

_COLUMNS: Final = {
    Kind.FLOAT: "value, NULL::VARCHAR AS text",
    Kind.INT: "value::DOUBLE AS value, NULL::VARCHAR AS text",
    Kind.TEXT: "NULL::DOUBLE AS value, value AS text",
}
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Source:
    """A file, or what lies in memory, of one kind; both ends of its time are included."""

    table: str
    start: int
    end: int


def memory(view: View, kind: Kind) -> pa.Table:
    """What lies in memory of a kind, each (tag, time) once."""
    return to_table(collapse(sort(join([run.rows() for run in view.runs[kind]], kind))), kind)


def samples(view: View, segments: Sequence[Segment], span: Span) -> str:
    """SQL of the table: tag, time, value, text, quality in [start, end), from these files and the view's memory."""
    parts = [part for kind in Kind for part in _kind(view, [s for s in segments if s.kind is kind], kind)]
    union = " UNION ALL ".join(parts) or _nothing()
    return (
        "SELECT names.tag AS tag, time, value, text, quality"
        f" FROM ({union}) AS stored JOIN names ON id = stored.tag WHERE {between(span)}"
    )


def _kind(view: View, segments: Sequence[Segment], kind: Kind) -> list[str]:
    """Parts that hold each value of a kind once: files that are alone in their time as they are, others compared."""
    sources = [_Source(f"read_parquet('{quoted(str(s.path))}')", s.start, s.end) for s in segments]
    if runs := view.runs[kind]:
        sources.append(_Source(f"memory_{kind.name}", min(r.start for r in runs), max(r.end for r in runs)))
    shared = dict(zip(sources, _overlaps(sources), strict=True))
    alone = [s.table[len("read_parquet(") : -1] for s in sources if not shared[s] and s.table.startswith("read")]
    columns = f"tag, time, {_COLUMNS[kind]}, quality"
    parts = [f"SELECT {columns} FROM read_parquet([{', '.join(alone)}])"] if alone else []
    for source, spans in shared.items():
        if spans or not source.table.startswith("read"):
            where = f" WHERE NOT ({_any(spans)})" if spans else ""
            parts.append(f"SELECT {columns} FROM {source.table}{where}")
    if compared := [
        f"SELECT tag, time, value, quality, {rank} AS age FROM {source.table} WHERE {_any(spans)}"
        for rank, (source, spans) in enumerate(shared.items())
        if spans
    ]:
        parts.append(
            f"SELECT {columns} FROM ({' UNION ALL '.join(compared)})"
            " QUALIFY row_number() OVER (PARTITION BY tag, time ORDER BY age DESC) = 1"
        )
    return parts


def _overlaps(sources: Sequence[_Source]) -> list[list[Span]]:
    """For each source, in which times another one has values as well; few spans, maybe a little longer than needed."""
    found: list[list[Span]] = []
    starts, ends = (np.array([getattr(source, side) for source in sources], np.int64) for side in ("start", "end"))
    for at, source in enumerate(sources):
        others = np.flatnonzero((starts <= source.end) & (ends >= source.start))
        others = others[others != at]
        spans = zip(
            np.maximum(starts[others], source.start).tolist(),
            np.minimum(ends[others], source.end).tolist(),
            strict=True,
        )
        found.append(_united(sorted(spans)))
    return found


def _united(spans: Sequence[Span]) -> list[Span]:
    united: list[Span] = []
    for start, end in spans:
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        else:
            united.append((start, end))
    return united


def _any(spans: Sequence[Span]) -> str:
    return " OR ".join(f"(time >= {_time(start)} AND time <= {_time(end)})" for start, end in spans)


def between(span: Span) -> str:
    """SQL: a row's time lies in [start, end)."""
    return f"time >= {_time(span[0])} AND time < {_time(span[1])}"


def _time(ns: int) -> str:
    return f"make_timestamp_ns({ns})::TIMESTAMPTZ_NS"


def _nothing() -> str:
    return (
        "SELECT 0 AS tag, NULL::TIMESTAMPTZ_NS AS time, NULL::DOUBLE AS value, NULL::VARCHAR AS text,"
        " 0::UINTEGER AS quality WHERE false"
    )
