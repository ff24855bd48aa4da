"""The planner: which way to a summary costs least, told from the catalogue alone, without touching a file.

hours, minutes   the rollups, where their buckets fit into those asked for; what sticks out comes from rows
raw              the rows, by row group and column through numpy
DuckDB           the rows, by DuckDB over the same files; only what simply adds up
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from shopfloor.services.historian.options import HOUR, MINUTE
from shopfloor.services.historian.segments.segment import Groups, Segment, choose

WAYS: Final = ("hours", "minutes", "raw", "DuckDB")
_FULL: Final = 16_384.0
_WIDTHS: Final = {"hours": HOUR, "minutes": MINUTE}


class Work(NamedTuple):
    """What there is to do, and, in the same words, what one of each costs in CPU microseconds.

    `begin` is once; `file` to open, `group` a row group, `chunk` a column of one, `value` a value in such a chunk,
    `line` one of the answer.
    """

    begin: float = 0.0
    file: float = 0.0
    group: float = 0.0
    chunk: float = 0.0
    value: float = 0.0
    line: float = 0.0

    def times(self, costs: Work) -> float:
        """CPU microseconds."""
        return sum(count * cost for count, cost in zip(self, costs, strict=True))


COSTS: Final = {
    "rollup": Work(0, 200, 0, 50, 0.012, 0.016),
    "raw": Work(0, 240, 54, 36, 0.008, 0.06),
    "DuckDB": Work(2700, 160, 16, 9, 0.011, 0.14),
}
"""What `tests/bench/planner_costs.py` fitted on 2 busy cores: 96 questions to stores of 1 to 60 files with row groups
of 64 to 16,384 rows, nothing decoded before. The way chosen by them took on average 2 % more than the cheapest one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A span that is answered from a level of rollups with buckets of `width`, or (no level) from rows."""

    level: str
    start: int
    end: int
    width: int


@dataclass(frozen=True, slots=True)
class Need:
    """What is asked in [start, end): buckets of `every`, and how many columns of a summary."""

    start: int
    end: int
    every: int
    columns: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The cheapest way, its pieces of time, and the estimates in CPU ms; None: no less than the cheapest."""

    way: str
    pieces: tuple[Piece, ...]
    estimates: dict[str, float | None]

    def __str__(self) -> str:
        """For an explanation.

        >>> str(Choice("hours", (), {"hours": 1.24, "raw": None}))
        'hours, about 1.2 ms (raw: no less)'
        """
        others = [f"{way}: no less" for way in self.estimates if way != self.way]
        said = f"{self.way}, about {self.estimates[self.way]:.1f} ms"
        return f"{said} ({', '.join(others)})" if others else said


def cheapest(
    need: Need,
    segments: Sequence[Segment],
    wanted: NDArray[np.bool_],
    ways: Collection[str] = WAYS,
    costs: Mapping[str, Work] = COSTS,
) -> Choice:
    """The cheapest of the ways that give the exact answer on the wanted tags (a mask); rows where none of those can."""
    best, least = None, float("inf")
    estimates: dict[str, float | None] = {}
    for way in WAYS:
        pieces = _pieces(way, need) if way in ways else ()
        if not pieces:
            continue
        steps = (work.times(costs[price]) for price, work in works(way, pieces, need, segments, wanted))
        cost = _sum(steps, least)
        estimates[way] = None if cost is None else cost / 1e3
        if cost is not None:
            best, least = Choice(way, pieces, estimates), cost
    return best or Choice("raw", _pieces("raw", need), {"raw": 0.0})


def _sum(costs: Iterator[float], limit: float) -> float | None:
    """None as soon as it is no less than the limit: a long way need not be measured to its end."""
    total = 0.0
    for cost in costs:
        total += cost
        if total >= limit:
            break
    return total if total < limit else None


def _pieces(way: str, need: Need) -> tuple[Piece, ...]:
    """The span in parts; none where buckets of the way do not fit."""
    if way not in _WIDTHS:
        return (Piece("", need.start, need.end, need.every),)
    width = _WIDTHS[way]
    aligned = need.every % width == 0 and need.start % width == 0
    whole = need.end - need.start <= need.every and need.end - need.start >= 3 * width
    pieces = _cut(need.start, need.end, WAYS[WAYS.index(way) : 2]) if aligned or whole else ()
    return pieces if any(piece.level == way for piece in pieces) else ()


def _cut(start: int, end: int, levels: Sequence[str]) -> tuple[Piece, ...]:
    """What sticks out of whole hours has whole minutes, and what sticks out of those has rows."""
    if start >= end:
        return ()
    if not levels:
        return (Piece("", start, end, end - start),)
    level, width = levels[0], _WIDTHS[levels[0]]
    first, last = -(-start // width) * width, end // width * width
    if first >= last:
        return _cut(start, end, levels[1:])
    rims = [_cut(*rim, levels[1:]) for rim in ((start, first), (last, end))]
    return (*rims[0], Piece(level, first, last, width), *rims[1])


def works(
    way: str, pieces: Sequence[Piece], need: Need, segments: Sequence[Segment], wanted: NDArray[np.bool_]
) -> Iterator[tuple[str, Work]]:
    """What there is to do, file by file, and at whose price (a key of `COSTS`)."""
    if way == "DuckDB":
        yield way, Work(begin=1)
    for piece in pieces:
        for segment in segments:
            if segment.start < piece.end and segment.end >= piece.start:
                stored: Groups | None = getattr(segment, piece.level) if piece.level else None
                if stored is not None:
                    yield "rollup", _summaries(segment, stored, piece, need.columns, wanted)
                else:
                    yield "raw" if way != "DuckDB" else way, _rows(segment, piece, need, wanted, way)


def _summaries(segment: Segment, stored: Groups, piece: Piece, columns: int, wanted: NDArray[np.bool_]) -> Work:
    """Tag, time and the columns; the index does not tell how many summaries there are, but how many there may be."""
    groups = len(choose(stored, wanted, piece.start, piece.end))
    if not groups:
        return Work()
    tags = int(stored[-1, 1]) - int(stored[0, 0]) + 1
    buckets = (segment.end - segment.start) // piece.width + 1
    each = min(tags * buckets / len(stored), _FULL)
    chunks = groups * (columns + 2)
    return Work(0, 1, groups, chunks, chunks * each, groups * each)


def _rows(segment: Segment, piece: Piece, need: Need, wanted: NDArray[np.bool_], way: str) -> Work:
    """Value and quality; tag where a row group has several, time where it lies in several buckets.

    DuckDB reads the tag always, and of each file what it says of all its row groups.
    """
    chosen = choose(segment.groups, wanted, piece.start, piece.end)
    if not chosen:
        return Work()
    low, high, oldest, newest = segment.groups[chosen].T
    first, last = (oldest - need.start) // need.every, (newest - need.start) // need.every
    timed = (first != last) | (oldest < piece.start) | (newest >= piece.end)
    pushed = way == "DuckDB"
    tagged = len(chosen) if pushed else np.count_nonzero(low != high)
    chunks = 2 * len(chosen) + int(tagged) + int(np.count_nonzero(timed))
    each = segment.rows / len(segment.groups)
    lines = min(int(np.count_nonzero(wanted)) * int(last.max() - first.min() + 1), len(chosen) * each)
    return Work(0, 1, len(segment.groups) if pushed else len(chosen), chunks, chunks * each, lines)
