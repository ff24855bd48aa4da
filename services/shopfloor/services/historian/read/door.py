"""The door of SQL: which files and tables a query sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind, QuestionError, Reader
from shopfloor.services.historian.options import HOUR, MINUTE
from shopfloor.services.historian.read.plan import note
from shopfloor.services.historian.read.samples import memory, samples
from shopfloor.services.historian.read.sql import Limits, Query, Tables
from shopfloor.services.historian.segments.segment import Segment, choose
from shopfloor.services.historian.shelf import View

MOST_BUCKETS: Final = 4_000_000
"""Summaries that `minutes` and `hours` may hold for one query."""


def query(
    text: str,
    reader: Reader,
    view: View,
    tags: Mapping[str, int],
    span: tuple[int, int],
    limits: Limits,
    stopped: Callable[[], bool],
) -> Query:
    """A query on the values of these tags (id by path) in [start, end), as the view shows them."""
    wanted = np.zeros(max(tags.values(), default=-1) + 1, bool)
    wanted[list(tags.values())] = True
    files = [segment for segment in view.segments if _holds(segment, wanted, span)]
    buckets = partial(_buckets, reader, view, list(tags), span)
    arrow: dict[str, Callable[[], pa.Table]] = {
        "names": partial(names, tags),
        "latest": partial(reader.latest, list(tags)),
        "minutes": partial(buckets, MINUTE, "minutes"),
        "hours": partial(buckets, HOUR, "hours"),
    } | {f"memory_{kind.name}": partial(memory, view, kind) for kind in Kind if view.runs[kind]}
    for segment in files:
        groups = choose(segment.groups, wanted, *span)
        note("DuckDB", groups=len(groups), rows=segment.rows * len(groups) // max(len(segment.groups), 1))
    tables = Tables(tuple(str(s.path) for s in files), {"samples": samples(view, files, span)}, arrow)
    return Query(text, tables, limits, stopped)


def names(tags: Mapping[str, int]) -> pa.Table:
    """Tags with their numbers, of which SQL makes the table `tags`."""
    return pa.table({"id": pa.array([*tags.values()], pa.int32()), "tag": pa.array([*tags], pa.string())})


def _holds(segment: Segment, wanted: NDArray[np.bool_], span: tuple[int, int]) -> bool:
    near = segment.start < span[1] and segment.end >= span[0]
    return near and not segment.damage and bool(choose(segment.groups, wanted, *span))


def _buckets(reader: Reader, view: View, tags: list[str], span: tuple[int, int], width: int, name: str) -> pa.Table:
    """Whole minutes or hours of the span, where the store has values at all."""
    runs = [run for kind in (Kind.FLOAT, Kind.INT) for run in view.runs[kind]]
    starts, ends = ([getattr(part, side) for part in (*view.segments, *runs)] for side in ("start", "end"))
    start = max(span[0], min(starts, default=0)) // width * width
    end = max(min(span[1], max(ends, default=0) + 1), start)
    if len(tags) * (-(-(end - start) // width)) > MOST_BUCKETS:
        raise QuestionError(
            f"The {name} of {len(tags)} tags over so long a time are too many: give tags, start and end with the query."
        )
    return reader.aggregate(tags, start, end, width)
