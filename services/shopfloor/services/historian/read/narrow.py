"""Totals of a view: of every file and run only the columns that a question wants."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.read import pushdown
from shopfloor.services.historian.read.plan import note
from shopfloor.services.historian.read.planner import Choice, Piece
from shopfloor.services.historian.read.scan import Scan
from shopfloor.services.historian.read.totals import Totals, merge, of_rollup, of_rows, total
from shopfloor.services.historian.rows import collapse
from shopfloor.services.historian.segments.decoded import Line, parts_of
from shopfloor.services.historian.segments.segment import Segment, choose

_log = logging.getLogger(__name__)
Span = tuple[int, int]
Grid = tuple[int, int]
"""Length of the buckets in ns, and where they are counted from."""

Weighed = tuple[Totals, int]
"""Totals, and how many rows or summaries they were made of."""

_MOST_SPANS: Final = 16


def totals(scan: Scan, kind: Kind, choice: Choice, grid: Grid, names: Sequence[str]) -> Totals:
    """Columns of `totals.MERGE` per (rank, bucket), exact as `Scan.rollup` is.

    Files and runs that lie apart in time add up. Where they overlap, they may repeat a value: those spans, mostly few
    and short, are answered by comparing them.
    """
    parts: list[Totals] = []
    for piece in choice.pieces:
        mixed = overlaps(scan, kind, piece)
        for span in mixed:
            parts += _compared(scan, kind, piece, span, grid, names)
        apart = _between(mixed, (piece.start, piece.end))
        if choice.way == "DuckDB" and apart and (pushed := _pushed(scan, kind, apart, grid, names)):
            parts.append(pushed)
            parts += (part for span in apart for part in _memory(scan, kind, span, grid, names))
            continue
        for span in apart:
            parts += _files(scan, kind, piece, span, grid, names)
            parts += _memory(scan, kind, span, grid, names)
    return merge(parts, *grid, names)


def overlaps(scan: Scan, kind: Kind, piece: Piece) -> list[Span]:
    """In which spans of the piece several files and runs may hold values of the wanted tags, in whole buckets."""
    spans = np.array(sorted(scan.extents(kind, piece.start, piece.end)), np.int64).reshape(-1, 2)
    reached = np.maximum.accumulate(spans[:, 1])
    late = np.flatnonzero(spans[1:, 0] <= reached[:-1]) + 1
    width = piece.width if piece.level else 1
    starts = spans[late, 0] // width * width
    ends = np.minimum(spans[late, 1], reached[late - 1]) // width * width + width
    return _united(starts, ends, (piece.start, piece.end))


def _united(starts: NDArray[np.int64], ends: NDArray[np.int64], within: Span) -> list[Span]:
    """The spans without overlaps, cut to what they lie within; one for all where they are many."""
    united: list[Span] = []
    for start, end in zip(np.maximum(starts, within[0]).tolist(), np.minimum(ends, within[1]).tolist(), strict=True):
        if united and start <= united[-1][1]:
            united[-1] = united[-1][0], max(end, united[-1][1])
        elif start < end:
            united.append((start, end))
    return united if len(united) <= _MOST_SPANS else [(united[0][0], united[-1][1])]


def _between(spans: Sequence[Span], within: Span) -> list[Span]:
    """What is left of a span."""
    edges = [within[0], *(edge for span in spans for edge in span), within[1]]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]


def _compared(scan: Scan, kind: Kind, piece: Piece, span: Span, grid: Grid, names: Sequence[str]) -> Iterator[Totals]:
    if piece.level:
        yield from (of_rollup(part, names) for part in scan.exact(kind, span, piece.width, piece.level))
    elif len(rows := scan.rows(kind, *span)):
        yield of_rows(rows, *grid, names)


def _files(scan: Scan, kind: Kind, piece: Piece, span: Span, grid: Grid, names: Sequence[str]) -> Iterator[Totals]:
    for segment in scan.segments(kind, *span):
        if piece.level and getattr(segment, piece.level) is not None:
            parts = scan.told(segment, piece.level, _rollups(scan, segment, piece.level, span, names), _weight)
        else:
            parts = scan.told(segment, "raw", _rows(scan, segment, span, grid, names), _weight)
        yield from (part.renumber(scan.rank) for part, _ in parts)


def _weight(part: Weighed) -> int:
    return part[1]


def _memory(scan: Scan, kind: Kind, span: Span, grid: Grid, names: Sequence[str]) -> Iterator[Totals]:
    for rows in scan.memory(kind, *span):
        if len(rows):
            yield of_rows(collapse(rows), *grid, names).renumber(scan.rank)


def _pushed(scan: Scan, kind: Kind, spans: Sequence[Span], grid: Grid, names: Sequence[str]) -> Totals | None:
    """By DuckDB; None where it cannot read a file: numpy names the one that is damaged."""
    import duckdb

    segments = list(dict.fromkeys(segment for span in spans for segment in scan.segments(kind, *span)))
    held = [segment for segment in segments if choose(segment.groups, scan.wanted, spans[0][0], spans[-1][1])]
    if not held:
        return merge([], *grid, names)
    try:
        answer = pushdown.totals(held, scan.wanted, spans, grid, names)
    except duckdb.Error as problem:
        _log.warning("DuckDB did not answer (%s): the rows are read without it.", problem)
        return None
    note("DuckDB", files=len(held), groups=sum(len(s.groups) for s in held), rows=sum(s.rows for s in held))
    return answer.renumber(scan.rank)


def _rollups(scan: Scan, segment: Segment, level: str, span: Span, names: Sequence[str]) -> Iterator[Weighed]:
    for _, columns in parts_of(segment, level, scan.wanted, span, lambda _: ("tag", "time", *names)):
        part = Totals(columns.pop("tag"), columns.pop("time"), columns)
        yield part, len(part)


def _rows(scan: Scan, segment: Segment, span: Span, grid: Grid, names: Sequence[str]) -> Iterator[Weighed]:
    """Of a row group with one tag, in one bucket, value and quality are all that is read."""
    every, origin = grid

    def needed(line: Line) -> list[str]:
        low, high, oldest, newest = line
        timed = oldest < span[0] or newest >= span[1] or (oldest - origin) // every != (newest - origin) // every
        return ["value", "quality", *(["tag"] if low != high else []), *(["time"] if timed else [])]

    for line, columns in parts_of(segment, "", scan.wanted, span, needed, sparing=True):
        bucket = columns["time"] if "time" in columns else line[2]
        bucket = (bucket - origin) // every * every + origin
        yield (
            total(columns.get("tag", line[0]), bucket, columns["value"], columns["quality"], names),
            len(columns["value"]),
        )
