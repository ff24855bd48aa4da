"""Spans of time in which something happened to an asset, and what the values of a tag tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.client.history import Column

Ints = NDArray[np.int64]
UNKNOWN = ""
"""The label of a time of which nobody knows: neither an event nor quiet."""


@dataclass(frozen=True, slots=True)
class Span:
    """An event of an asset (a path) from `start` to `end` (UTC ns; the same for a moment)."""

    asset: str
    start: int
    end: int
    label: str


def held(asset: str, column: Column, states: Sequence[str], within: tuple[int, int], label: str) -> list[Span]:
    """The times in which a tag held one of some states, and those in which its state is not known.

    >>> column = np.array([10, 20, 30]).view("datetime64[ns]"), np.array([1.0, 0.0, np.nan])
    >>> [(span.start, span.end, span.label) for span in held("cnc", column, ("1",), (0, 40), "down")]
    [(0, 10, ''), (10, 20, 'down'), (30, 40, '')]
    """
    start, end = within
    time, value = column
    at = [start, *np.clip(time.astype(np.int64), start, end).tolist(), end]
    said = [UNKNOWN, *(_said(word(one), states, label) for one in value.tolist())]
    found: list[Span] = []
    for begun, ended, what in zip(at[:-1], at[1:], said, strict=True):
        if what is None or ended <= begun:
            continue
        joined = found and found[-1].end == begun and found[-1].label == what
        found.append(Span(asset, found.pop().start if joined else begun, ended, what))
    return found


def increases(asset: str, column: Column, within: tuple[int, int], label: str) -> list[Span]:
    """The moments at which a counter rose, and the times in which nobody knows its value; one that falls begins anew.

    >>> column = np.array([10, 20, 30, 40]).view("datetime64[ns]"), np.array([1.0, 3.0, 0.0, 1.0])
    >>> [(span.start, span.end) for span in increases("cnc", column, (10, 50), "scrap")]
    [(20, 20), (40, 40)]
    """
    time, value = column
    known = np.array([isinstance(one, float) and one == one for one in value.tolist()], bool)  # noqa: PLR0124 (NaN)
    at, count = time.astype(np.int64)[known], value[known].astype(np.float64)
    rose = at[1:][np.diff(count) > 0]
    blind = held(asset, (time, np.where(known, 0.0, np.nan)), (), within, label)
    return blind + [Span(asset, t, t, label) for t in rose.tolist() if within[0] <= t < within[1]]


def word(value: object) -> str | None:
    """A state as a text, as in the API: booleans and whole numbers without a point; None for a value that is none."""
    if isinstance(value, bool | float | int):
        return None if value != value else str(int(value)) if float(value).is_integer() else str(value)  # noqa: PLR0124
    return None if value is None else str(value)


def _said(state: str | None, states: Sequence[str], label: str) -> str | None:
    """The label of a state, unknown without one, None for a state that is not asked for."""
    return UNKNOWN if state is None else label if state in states else None
