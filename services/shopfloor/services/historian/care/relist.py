"""Listing a segment again by its files alone, where its row in the catalogue is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.segments.segment import Groups, Segment, numbers
from shopfloor.services.historian.segments.segment_writer import LEVELS, STATES

_NONE = np.empty((0, 4), np.int64)


def relisted(path: Path) -> Segment:
    """The segment of a file and its rollups. One that cannot be read is listed as damaged, so that it stays.

    How old its values are among others of the same tag and time is taken from its number: where a correction lies
    in another segment, the corrected value may come back.
    """
    kind, number = path.stem.split("-")
    segment = Segment(
        int(number), path, Kind(kind), path.parent.name.removeprefix("day="), 0, -1, int(number), 0, 0, 0, _NONE
    )
    try:
        return _read(segment)
    except (OSError, ValueError, LookupError, pa.ArrowException):
        return segment


def number_of(path: Path) -> int | None:
    """The id of the segment whose rows a file holds; None for a rollup and for anything else.

    >>> number_of(Path("day=2026-01-31/float64-00000012.parquet")), number_of(Path("float64-00000012.hours.parquet"))
    (12, None)
    """
    kind, _, number = path.stem.partition("-")
    return int(number) if path.suffix == ".parquet" and number.isdigit() and kind in [*Kind] else None


def _read(segment: Segment) -> Segment:
    groups, tags, rows = _indexed(segment.path)
    segment.rows, segment.size, segment.groups = rows, segment.path.stat().st_size, groups
    spans, summarized = [groups], np.empty(0, np.int64)
    rollups = [level for level in (*LEVELS, STATES) if segment.rollup_path(level).is_file()]
    for level in rollups:
        found, known, _ = _indexed(segment.rollup_path(level))
        setattr(segment, level, found)
        summarized = np.union1d(summarized, known)
    segment.gone = np.setdiff1d(summarized, tags).astype(np.int64)
    if len(segment.gone):
        spans += [_spans(segment, level) for level in rollups]
    whole = np.concatenate(spans)
    segment.start, segment.end = int(whole[:, 2].min()), int(whole[:, 3].max())
    return segment


def _indexed(path: Path) -> tuple[Groups, NDArray[np.int64], int]:
    """Row groups, tags and rows of a file."""
    lines, tags = [_NONE], np.empty(0, np.int64)
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=["tag", "time"])
            if table.num_rows:
                tag, time = numbers(table.column("tag")), numbers(table.column("time"))
                lines.append(np.array([[tag[0], tag[-1], time.min(), time.max()]], np.int64))
                tags = np.union1d(tags, tag)
        return np.concatenate(lines), tags, int(file.metadata.num_rows)


def _spans(segment: Segment, level: str) -> Groups:
    """The oldest and newest time that a rollup knows of its rows, as lines of groups."""
    if level == STATES:
        return _NONE if segment.states is None else segment.states
    path = segment.rollup_path(level)
    table = pq.read_table(path, columns=["first_time", "last_time", "n"], filters=[("n", ">", 0)])
    if not table.num_rows:
        return _NONE
    first, last = numbers(table.column("first_time")), numbers(table.column("last_time"))
    return np.array([[0, 0, first.min(), last.max()]], np.int64)
