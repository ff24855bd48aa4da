"""What a model's alarms were worth on windows of the past: right and wrong, alarms per day, lead time, cost.

An alarm is a stretch of windows of one asset, each of which alarms: operators see one, not many. It is false when what
happened is known and none of its windows was followed by the event; an event is caught when any window that should have
warned of it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bundle import Manifest
from shopfloor.models.columns import HOUR, MINUTE
from shopfloor.models.parts import NEAR_END, TOLERANCE
from shopfloor.services.brain.replay.truth import Floats
from shopfloor.services.brain.replay.windows import Windows
from shopfloor.services.brain.streams.levels import reached

_APART: Final = HOUR
"""Windows of one asset that lie farther apart are no longer one alarm."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What one false alarm and one missed event cost, in any unit of money."""

    false_alarm: float = 1.0
    miss: float = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One model on windows of the past. `hits` to `quiet` count windows, `alarms` and `events` what people see.

    Leads are minutes from the first window that alarmed to the event; numbers that nobody can know are None.
    """

    number: int
    windows: int
    silent: int
    hits: int
    misses: int
    false: int
    quiet: int
    alarms: int
    alarms_per_day: float
    alarms_false: int
    alarms_true: int
    events: int
    caught: int
    lead_median: float | None
    lead_least: float | None
    cost: float | None


def alarming(card: Manifest, value: Floats) -> NDArray[np.bool_]:
    """Which values [n] make a page, or a person, act.

    Tool life: 15 minutes or less; dimension: beyond the tolerance; all others: at the level `act`.
    """
    match card.target:
        case "tool_life":
            return value <= NEAR_END
        case "dimension":
            return np.abs(value) > TOLERANCE
        case _:
            return reached(card, "act", value)


def outcome(card: Manifest, number: int, model: int, several: Sequence[Windows], days: float, costs: Costs) -> Outcome:
    """The outcome of the `model`-th of those that judged these windows."""
    tallies = [_tally(w, alarming(card, w.said[model][0])) for w in several]
    leads = np.concatenate([t.leads for t in tallies]) if tallies else np.empty(0)
    sums = np.sum([t.counts for t in tallies], axis=0) if tallies else np.zeros(8, np.int64)
    hits, misses, false, quiet, alarms, alarms_false, alarms_true, events = (int(n) for n in sums)
    windows = sum(len(w.end) for w in several)
    silent = sum(int(np.isnan(w.said[model][0]).sum()) for w in several)
    judged = hits + misses + false + quiet > 0
    missed = events - len(leads)
    return Outcome(
        number, windows, silent, hits, misses, false, quiet, alarms, round(alarms / days, 3), alarms_false, alarms_true,
        events, len(leads), _rounded(np.median(leads)) if len(leads) else None,
        _rounded(leads.min()) if len(leads) else None,
        round(alarms_false * costs.false_alarm + missed * costs.miss, 2) if judged else None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Of one asset: hits, misses, false, quiet, alarms, false alarms, true alarms, events; leads of those caught."""

    counts: Sequence[int]
    leads: Floats


def _tally(w: Windows, alarm: NDArray[np.bool_]) -> _Tally:
    due = w.truth.due
    came, none = due == 1, due == 0
    alarms, wrong, right = _episodes(w, alarm)
    leads, events = _leads(w, alarm)
    counts = (came & alarm, came & ~alarm, none & alarm, none & ~alarm)
    return _Tally([*(int(c.sum()) for c in counts), alarms, wrong, right, events], leads)


def _episodes(w: Windows, alarm: NDArray[np.bool_]) -> tuple[int, int, int]:
    """How many alarms there were, how many of them were surely false, and how many right."""
    at = np.flatnonzero(alarm)
    if not len(at):
        return 0, 0, 0
    cuts = np.flatnonzero((np.diff(at) > 1) | (np.diff(w.end[at]) > _APART)) + 1
    first = np.concatenate([[0], cuts])
    right = np.maximum.reduceat((w.truth.due[at] == 1).astype(int), first)
    known = np.maximum.reduceat((w.truth.due[at] == 0).astype(int), first)
    return len(first), int(((right == 0) & (known == 1)).sum()), int(right.sum())


def _leads(w: Windows, alarm: NDArray[np.bool_]) -> tuple[Floats, int]:
    """Minutes between the first alarm before each event that was caught and the event, and how many events came."""
    events = np.unique(w.truth.event[w.truth.event >= 0])
    warned = np.flatnonzero(alarm & (w.truth.event >= 0))
    _, first = np.unique(w.truth.event[warned], return_index=True)
    row = warned[first]
    return (w.truth.when[row] - w.end[row]) / MINUTE, len(events)


def _rounded(minutes: float) -> float:
    return round(float(minutes), 2)
