"""Where sorted rows are cut into row groups: evenly, and where signals of another character begin."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.encoding import is_fine

_LEAST: Final = 4
_SHORT: Final = 128
"""A row group is cut where values change their character once it has 1/4 of the rows that it may have.

Tags with less than 1/128 of them have no say.
"""


def cut(rows: Rows, most: int, *, whole: bool) -> Iterator[slice]:
    """Row groups of at most `most` rows. Unless it is the `whole`, more is to come: the rest is left for later.

    >>> tag = np.repeat(np.arange(2, dtype=np.int32), [60, 140])
    >>> value = np.where(tag == 0, 1.0, np.arange(200))
    >>> rows = Rows(tag, np.arange(200), value, np.zeros(200, np.uint32))
    >>> [(part.start, part.stop) for part in cut(rows, 100, whole=True)]
    [(0, 60), (60, 130), (130, 200)]
    """
    start = 0
    for border in _borders(rows, most):
        if border - start >= most // _LEAST:
            yield from _even(start, border, most)
            start = border
    if whole:
        yield from _even(start, len(rows), most)
    while not whole and len(rows) - start > 2 * most:
        yield slice(start, start + most)
        start += most


def equal(rows: int, most: int, *, whole: bool) -> Iterator[slice]:
    """Row groups of `most` rows; what is left over makes one too if it is the `whole`.

    >>> [list(range(5))[part] for part in equal(5, 2, whole=True)]
    [[0, 1], [2, 3], [4]]
    """
    upto = rows if whole else rows - rows % most
    yield from (slice(start, min(start + most, upto)) for start in range(0, upto, most))


def _borders(rows: Rows, most: int) -> list[int]:
    """Where a tag begins whose values are of another character than those before it."""
    starts = np.flatnonzero(np.append(True, rows.tag[1:] != rows.tag[:-1]))[: len(rows)]
    stops = np.append(starts[1:], len(rows))
    told = stops - starts > most // _SHORT
    spans = zip(starts[told].tolist(), stops[told].tolist(), strict=True)
    found = [(start, is_fine(rows.value[start:stop])) for start, stop in spans]
    return [start for (start, fine), (_, before) in zip(found[1:], found, strict=False) if fine != before]


def _even(start: int, stop: int, most: int) -> Iterator[slice]:
    """A span in as few equal parts as can be."""
    parts = -(-(stop - start) // most)
    edges = np.linspace(start, stop, parts + 1).astype(np.int64).tolist()
    yield from (slice(*edge) for edge in pairwise(edges))
