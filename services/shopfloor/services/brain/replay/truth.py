"""What really happened, for windows of the past: truths, and the events that an alarm should have come before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bins import BIN, HORIZON, effects_of
from shopfloor.models.columns import MINUTE
from shopfloor.models.parts import NEAR_END, TOLERANCE, Parts, Probes, remaining
from shopfloor.services.brain.replay.past import MachinePast
from shopfloor.services.brain.truths import part_key
from shopfloor.services.registry.scores import Label

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Of n windows: the truth lies within [low, high] (NaN: not known), both equal when it is exact.

    `due` is 1 where an event came that the window should have warned of, 0 where none came, NaN where nobody knows;
    `event` numbers the event (-1 for none) and `when` is its time (UTC ns), for parts that of their measurement.
    """

    low: Floats
    high: Floats
    due: Floats
    event: Ints
    when: Ints


def nothing(n: int) -> Truth:
    """Nobody knows."""
    unknown = np.full(n, np.nan)
    return Truth(unknown, unknown.copy(), unknown.copy(), np.full(n, -1), np.zeros(n, np.int64))


def of_machine(target: str, past: MachinePast) -> Truth:
    """The truth of each part of a machine."""
    if target == "tool_life":
        return _lives(past.parts)
    measured, known = measurements(past.parts, past.probes)
    due = np.where(np.isnan(measured), np.nan, np.abs(measured) > TOLERANCE)
    event = np.where(due == 1, np.arange(len(due)), -1)
    match target:
        case "dimension":
            return Truth(measured, measured, due, event, known)
        case "out_of_tolerance":
            return Truth(due, due, due, event, known)
        case _:
            return nothing(len(past.parts))


def measurements(parts: Parts, results: Probes) -> tuple[Floats, Ints]:
    """Dimension of each part, NaN where it was not measured, and when it became known; [n] each.

    Ids come again: a result is that of the newest part of its id that was finished before it.
    """
    value, known, n = np.full(len(parts), np.nan), np.zeros(len(parts), np.int64), len(parts)
    if not n or not len(results.part):
        return value, known
    ids, number = np.unique(parts.part, return_inverse=True)
    order = np.sort(number * (n + 1) + np.arange(n))
    asked = np.minimum(np.searchsorted(ids, results.part), len(ids) - 1)
    upto = np.searchsorted(parts.end, results.time, "right")
    spot = np.searchsorted(order, asked * (n + 1) + upto) - 1
    row = order[np.maximum(spot, 0)] % (n + 1)
    found = (spot >= 0) & (parts.part[row] == results.part) & (row < upto)
    value[row[found]], known[row[found]] = results.dimension[found], results.time[found]
    return value, known


def _lives(parts: Parts) -> Truth:
    if not len(parts):
        return nothing(0)
    minutes, seen, run = remaining(parts)
    following = np.minimum(np.searchsorted(run, run, "right"), len(parts) - 1)
    near = minutes <= NEAR_END
    due = np.where(np.isnan(minutes) | (near & ~seen), np.nan, near)
    event = np.where(due == 1, run, -1)
    return Truth(minutes, np.where(seen, minutes, np.inf), due, event, parts.start[following])


def of_pots(target: str, active: NDArray[np.bool_], known: NDArray[np.bool_], time: Ints) -> Truth:
    """The truth of each bin of each pot, [T * pots]; `active` and `known` (the pot spoke) are [T, pots]."""
    if target != "anode_effect":
        return nothing(active.size)
    busy, until = effects_of(active)
    told = known & ~busy & (time <= (time[-1] if len(time) else 0) - HORIZON)[:, None]
    due = np.where(told, until <= HORIZON / MINUTE, np.nan)
    row = np.arange(len(time))[:, None] + np.where(due == 1, until * (MINUTE / BIN), 0).astype(np.int64)
    event = np.where(due == 1, row * active.shape[1] + np.arange(active.shape[1]), -1)
    flat = due.reshape(-1)
    return Truth(flat, flat, flat, event.reshape(-1), time[row].reshape(-1))


def told_since(truth: Truth, parts: Parts | None, end: Ints, labels: Sequence[Label]) -> Truth:
    """With what people told of windows [n] of one asset where nothing else is known; `end` are their ends."""
    if not labels:
        return truth
    low, high = truth.low.copy(), truth.high.copy()
    keys = {} if parts is None else {part_key(int(p), int(e)): i for i, (p, e) in enumerate(_pairs(parts))}
    for label in labels:
        if label.part:
            rows = np.array([keys[label.part]] if label.part in keys else [], np.int64)
        else:
            rows = np.flatnonzero((end >= label.start) & (end <= label.end))
        rows = rows[np.isnan(truth.low[rows])]
        low[rows], high[rows] = label.low, label.high
    return Truth(low, high, truth.due, truth.event, truth.when)


def _pairs(parts: Parts) -> list[tuple[int, int]]:
    return list(zip(parts.part.tolist(), parts.end.tolist(), strict=True))
