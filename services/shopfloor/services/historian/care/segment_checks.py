"""Checks of a segment: its rows are what its catalogue row and its rollups say."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.options import DAY
from shopfloor.services.historian.rows import Rows, join
from shopfloor.services.historian.segments.condense import StateHours
from shopfloor.services.historian.segments.decoded import rows_of
from shopfloor.services.historian.segments.rollup import Rollup, merge, summarize
from shopfloor.services.historian.segments.segment import DamagedError, Segment, group_rows, reading
from shopfloor.services.historian.segments.segment_writer import LEVELS, STATES, day_of

_TOLERANCE = 1e-9


class _Fault(Exception):  # noqa: N818 (never leaves this file)
    """What is wrong, as the middle of a sentence."""


def check_segment(segment: Segment, tags: int) -> str:
    """A sentence about what is wrong with a segment of a store of `tags` tags; empty when nothing is.

    Reads every page (each has a checksum), a row group at a time.
    """
    try:
        parts = _check_rows(segment, tags)
        if segment.states is not None:
            _check_states(segment, tags)
        for level in LEVELS:
            if getattr(segment, level) is not None:
                _check_rollup(segment, level, parts, tags)
    except DamagedError as problem:
        return str(problem)
    except _Fault as fault:
        return (
            f"{segment.path} is damaged ({fault}): its {segment.rows} values are not to be trusted;"
            " restore it from a backup."
        )
    return ""


def _check_rows(segment: Segment, tags: int) -> dict[str, list[Rollup]]:
    """Check the rows; answers their summaries, piece by piece."""
    parts: dict[str, list[Rollup]] = {level: [] for level in LEVELS if segment.kind is not Kind.TEXT}
    before, count = (-1, 0), 0
    for group in range(len(segment.groups)):
        rows = group_rows(segment, group)
        _check_group(segment, group, rows, before, tags)
        before, count = (int(rows.tag[-1]), int(rows.time[-1])), count + len(rows)
        for level, summaries in parts.items():
            if getattr(segment, level) is not None:
                summaries.append(summarize(rows, LEVELS[level]))
    _demand(count == segment.rows, f"it has {count} rows of {segment.rows}")
    return parts


def _check_group(segment: Segment, group: int, rows: Rows, before: tuple[int, int], tags: int) -> None:
    _demand(len(rows) > 0, f"row group {group} is empty")
    rising = (rows.tag[1:] > rows.tag[:-1]) | ((rows.tag[1:] == rows.tag[:-1]) & (rows.time[1:] > rows.time[:-1]))
    first = (int(rows.tag[0]), int(rows.time[0]))
    _demand(bool(rising.all()) and first > before, f"row group {group} is not sorted by tag and time, each once")
    _demand(first[0] >= 0 and int(rows.tag[-1]) < tags, f"row group {group} has a tag that the store does not know")
    low, high = int(rows.time.min()), int(rows.time.max())
    _demand(day_of(low) == day_of(high) == segment.day, f"row group {group} has times of another day")
    line = [int(rows.tag[0]), int(rows.tag[-1]), low, high]
    _demand(line == segment.groups[group].tolist(), f"row group {group} is not what the catalogue says")
    _demand(segment.start <= low and high <= segment.end, f"row group {group} lies outside of the segment's times")


def _check_rollup(segment: Segment, level: str, parts: dict[str, list[Rollup]], tags: int) -> None:
    """Compare what is stored with what the rows give; a sum may differ by the rounding of its order."""
    start = segment.start // DAY * DAY
    with reading(segment):
        kept = np.ones(tags, bool)
        kept[segment.gone] = False
        stored = segment.find_rollup(level, kept, start, segment.end + 1)
    again = merge(parts[level], LEVELS[level])
    _demand(len(stored) == len(again), f"its {level} have {len(stored)} rows of {len(again)}")
    scale = again.n.astype(np.float64) * np.fmax(np.abs(again.min), np.abs(again.max))
    for field in fields(Rollup):
        if field.name == "increase" and np.isnan(stored.increase).all():
            continue  # an older version did not write it
        same = _same(getattr(stored, field.name), getattr(again, field.name), scale)
        _demand(same, f"the column {field.name} of its {level} is not what its rows give")


def _check_states(segment: Segment, tags: int) -> None:
    """Compare the stored states of the tags that have their rows still with what these are condensed to."""
    kept = np.ones(tags, bool)
    kept[segment.gone] = False
    span = segment.start, segment.end + 1
    hours = StateHours()
    again = [part for group in range(len(segment.groups)) for part in hours.add(group_rows(segment, group))]
    expected = join([*again, *hours.rest()], segment.kind)
    stored = join([*rows_of(segment, kept, *span, level=STATES)], segment.kind)
    _demand(len(stored) == len(expected), f"its states have {len(stored)} rows of {len(expected)}")
    for field in fields(Rows):
        same = _equal(getattr(stored, field.name), getattr(expected, field.name))
        _demand(same, f"the column {field.name} of its states is not what its rows give")


def _equal(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    if one.dtype == np.float64:
        return np.array_equal(one, other, equal_nan=True)
    return bool(np.array_equal(one, other))


def _same(one: NDArray[np.generic], other: NDArray[np.generic], scale: NDArray[np.float64]) -> bool:
    if one.dtype != np.float64 or other.dtype != np.float64:
        return bool(np.array_equal(one, other))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(one.astype(np.float64) - other.astype(np.float64)) <= _TOLERANCE * scale
    return bool(
        np.all(near | (one == other) | (np.isnan(one.astype(float)) & np.isnan(other.astype(float))) | np.isinf(scale))
    )


def _demand(true: bool, otherwise: str) -> None:
    if not true:
        raise _Fault(otherwise)
