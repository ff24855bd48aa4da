"""Hits and misses: what a model said of the past, beside what came.

An event is a stretch of windows of one asset that should have warned, an alarm a stretch of windows that did: people
see one, not many. An event is caught when any of its windows alarmed; an alarm is false when what came is known, and
no window of it was to warn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.services.historian.options import NS
from shopfloor.services.registry.scores import Labelled

Flags = NDArray[np.bool_]
_APART: Final = 3_600 * NS
_POINTS: Final = 400


@dataclass(frozen=True, slots=True)
class Level:
    """From which value on a model alarms: at `above` or more, or at `below` or less; None: never from that side."""

    above: float | None = None
    below: float | None = None

    def reached(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> Flags:
        """Where all of [low, high] (arrays of n) is at the level."""
        found = np.zeros(len(low), bool)
        if self.above is not None:
            found |= low >= self.above
        if self.below is not None:
            found |= high <= self.below
        return found

    def kept_from(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> Flags:
        """Where nothing of [low, high] is at the level."""
        found = np.ones(len(low), bool)
        if self.above is not None:
            found &= high < self.above
        if self.below is not None:
            found &= low > self.below
        return found


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one asset, or of all: windows with a truth, `exact` ones, of these those inside the interval; events; alarms.

    `error` is the mean distance of the value from the exact truths, None without any.
    """

    windows: int
    exact: int
    inside: int
    error: float | None
    events: int
    caught: int
    alarms: int
    false: int


def tally(rows: Labelled, level: Level, event: Level) -> Tally:
    """Count the windows of one asset, which are in the order of time; `event`: from which truth on it was to warn.

    >>> n = np.array([40.0, 30.0, 10.0, 5.0])
    >>> rows = Labelled(np.full(4, "m"), np.arange(4), n, n - 3, n + 3, n * np.nan, n + 1, n + 1)
    >>> tally(rows, Level(below=15.0), Level(below=15.0))
    Tally(windows=4, exact=4, inside=4, error=1.0, events=1, caught=1, alarms=1, false=0)
    """
    exact = rows.truth_low == rows.truth_high
    within = exact & (rows.low <= rows.truth_low) & (rows.truth_low <= rows.high)
    off = np.abs(rows.value - rows.truth_low)[exact]
    due = event.reached(rows.truth_low, rows.truth_high)
    known = due | event.kept_from(rows.truth_low, rows.truth_high)
    alarm = level.reached(rows.value, rows.value)
    events, alarms = stretches(due, rows.window_end), stretches(alarm, rows.window_end)
    return Tally(
        len(rows), int(exact.sum()), int(within.sum()), float(off.mean()) if len(off) else None,
        len(events), sum(bool(alarm[one].any()) for one in events),
        len(alarms), sum(bool(known[one].any()) and not due[one].any() for one in alarms),
    )  # fmt: skip


def stretches(flag: Flags, time: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Where a flag [n] holds without a break, or an hour without windows, as the rows of each stretch."""
    at = np.flatnonzero(flag)
    if not len(at):
        return []
    cuts = np.flatnonzero((np.diff(at) > 1) | (np.diff(time[at]) > _APART)) + 1
    return [np.asarray(one, np.int64) for one in np.split(at, cuts)]


def together(several: Mapping[str, Tally]) -> Tally:
    """The sum over assets."""
    tallies = list(several.values())
    exact = sum(one.exact for one in tallies)
    off = sum((one.error or 0.0) * one.exact for one in tallies)

    def total(pick: Callable[[Tally], int]) -> int:
        return sum(pick(one) for one in tallies)

    return Tally(
        total(lambda one: one.windows), exact, total(lambda one: one.inside), off / exact if exact else None,
        total(lambda one: one.events), total(lambda one: one.caught), total(lambda one: one.alarms),
        total(lambda one: one.false),
    )  # fmt: skip


def by_asset(rows: Labelled) -> dict[str, Labelled]:
    """The windows of each asset, in the order of time."""
    found = {}
    for asset in np.unique(rows.asset):
        mine = np.flatnonzero(rows.asset == asset)
        found[str(asset)] = take(rows, mine[np.argsort(rows.window_end[mine], kind="stable")])
    return found


def take(rows: Labelled, chosen: NDArray[Any]) -> Labelled:
    """The chosen windows."""
    return Labelled(
        rows.asset[chosen], rows.window_end[chosen], rows.value[chosen], rows.low[chosen], rows.high[chosen],
        rows.against[chosen], rows.truth_low[chosen], rows.truth_high[chosen],
    )  # fmt: skip


def points(rows: Labelled) -> Labelled:
    """Windows with an exact truth, to draw: a few hundred at most, spread evenly over all."""
    exact = np.flatnonzero(rows.truth_low == rows.truth_high)
    if len(exact) > _POINTS:
        exact = exact[np.linspace(0, len(exact) - 1, _POINTS).astype(int)]
    return take(rows, exact)
