"""From a machine tool's columns to one row per finished part: what the cut was like, and what was known by its end."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import MINUTE, SECOND, Columns, Floats, Ints, Steps, number, words

NEAR_END: Final = 15.0
"""Cutting minutes before the end of a tool from which on a fresh one must be at hand: a model should have warned."""
TOLERANCE: Final = 30.0
"""Micrometres that the dimension of a part may be off."""

CUT: Final = (
    "spindle.power",
    "spindle.torque",
    "spindle.load",
    "axis.x.load",
    "axis.y.load",
    "axis.z.load",
    "vibration.rms",
    "coolant.flow",
)
"""Tags that are averaged over the cut, with their spread and their mean over its last quarter."""

HELD: Final = (
    "spindle.temperature",
    "bearing.temperature",
    "coolant.temperature",
    "coolant.concentration",
    "setpoint.speed",
    "setpoint.feed",
    "setpoint.offset",
    "setpoint.tool_limit",
)
"""Tags that are taken as they stand when the cut ends."""

TAGS: Final = (
    *CUT,
    *HELD,
    "state",
    "program",
    "material.lot",
    "part.count",
    "part.id",
    "tool.id",
    "tool.minutes",
    "probe.part",
    "probe.dimension",
)
"""All that a machine tool's part rows are made of."""

NUMBERS: Final = (
    *CUT,
    *(f"{name} spread" for name in CUT),
    *(f"{name} tail" for name in CUT),
    *HELD,
    "minutes",
    "cut",
    "pause",
    "program",
    "lot",
    "probe.part",
    "probe.dimension",
)
"""Columns of `Parts.values`. `minutes`: the tool's age in cutting minutes as the cut begins; `cut`, `pause`: s."""

_AT: Final = {name: i for i, name in enumerate(NUMBERS)}
_REMEMBERED: Final = 50 * MINUTE
"""A pause is known when the part before ended at most so long before this one: followed live, an hour is held."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Finished parts of one machine in order: `start`, `end` of the cut (UTC ns), ids, and `values` [n, NUMBERS]."""

    start: Ints
    end: Ints
    part: Ints
    tool: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.part)

    def __getitem__(self, name: str) -> Floats:
        """One column of `NUMBERS`."""
        column: Floats = self.values[:, _AT[name]]
        return column

    def take(self, rows: NDArray[Any] | slice) -> Parts:
        """The chosen parts."""
        return Parts(self.start[rows], self.end[rows], self.part[rows], self.tool[rows], self.values[rows])

    def then(self, later: Parts) -> Parts:
        """These parts, and those of `later` that were finished after the last of them."""
        return concat([self, later.take(later.end > self.end[-1])]) if len(self) else later

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, to keep on disk."""
        return {
            "start": self.start,
            "end": self.end,
            "part": self.part,
            "tool": self.tool,
            "values": self.values,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Parts:
        """What `arrays` gave."""
        return cls(arrays["start"], arrays["end"], arrays["part"], arrays["tool"], arrays["values"])


def concat(several: Sequence[Parts]) -> Parts:
    """One table of all parts, in the order given."""
    return Parts(
        np.concatenate([p.start for p in several]),
        np.concatenate([p.end for p in several]),
        np.concatenate([p.part for p in several]),
        np.concatenate([p.tool for p in several]),
        np.concatenate([p.values for p in several]),
    )


NO_PARTS: Final = Parts(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty((0, len(NUMBERS))),
)


def finished(tags: Columns, *, after: int = 0) -> Parts:
    """The parts whose cut began and ended within these columns, ended later than `after` (UTC ns).

    A part is finished when `part.count` rises; its cut is the last stretch of state EXECUTE before that.
    """
    start, end = _cuts(tags)
    pause = np.full(len(end), np.nan)
    near = np.flatnonzero(end[1:] - end[:-1] <= _REMEMBERED) + 1
    pause[near] = (start[near] - end[near - 1]) / SECOND
    keep = end > after
    start, end = start[keep], end[keep]
    if not len(end):
        return NO_PARTS
    values = np.empty((len(end), len(NUMBERS)))
    for name in CUT:
        steps = number(tags, name)
        values[:, _AT[name]], values[:, _AT[f"{name} spread"]] = steps.moments(start, end)
        values[:, _AT[f"{name} tail"]] = steps.mean(end - (end - start) // 4, end)
    for name in HELD:
        values[:, _AT[name]] = number(tags, name).at(end)
    values[:, _AT["pause"]] = pause[keep]
    _context(tags, start, end, values)
    return Parts(start, end, _whole(tags, "part.id", end - 1), _whole(tags, "tool.id", end - 1), values)


def _cuts(tags: Columns) -> tuple[Ints, Ints]:
    """Start and end of the cut of each finished part."""
    count = number(tags, "part.count").changes()
    risen = np.zeros(len(count.time), bool)
    risen[1:] = count.value[1:] > count.value[:-1]
    done = count.time[risen]
    state = words(tags, "state").changes()
    running = state.value == "EXECUTE"
    begun = state.time[running]
    ended = np.append(state.time[1:], np.iinfo(np.int64).max)[running]
    row = np.searchsorted(begun, done, "left") - 1
    known = row >= 0
    row, done = row[known], done[known]
    start, end = begun[row], np.minimum(ended[row], done)
    changed = number(tags, "part.id").changes().time
    if len(changed):
        born = np.searchsorted(changed, done, "left") - 1
        start = np.where(born >= 0, np.maximum(start, changed[np.maximum(born, 0)]), start)
    keep = end - start > SECOND
    return start[keep], end[keep]


def _context(tags: Columns, start: Ints, end: Ints, values: Floats) -> None:
    values[:, _AT["minutes"]] = number(tags, "tool.minutes").at(start)
    values[:, _AT["cut"]] = (end - start) / SECOND
    for name, tag in (("program", "program"), ("lot", "material.lot")):
        values[:, _AT[name]] = [_code(word) for word in words(tags, tag).at(start)]
    for name in ("probe.part", "probe.dimension"):
        values[:, _AT[name]] = number(tags, name).at(end)


def _code(word: str) -> float:
    """A text as a number that float32 holds exactly: equal texts, equal numbers."""
    return float(zlib.crc32(word.encode()) & 0xFFFF) if word else np.nan


def _whole(tags: Columns, name: str, when: Ints) -> Ints:
    held: Floats = number(tags, name).at(when)
    return np.where(np.isnan(held), -1, held).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """What the measuring machine said: `time` it became known (UTC ns), `part` it measured, `dimension` in um."""

    time: Ints
    part: Ints
    dimension: Floats


def probes(tags: Columns) -> Probes:
    """Every probe result, as it became known: one per change of `probe.part`."""
    part = number(tags, "probe.part").changes()
    known = ~np.isnan(part.value)
    time = part.time[known]
    dimension: Floats = number(tags, "probe.dimension").at(time + SECOND // 2)
    return Probes(time, part.value[known].astype(np.int64), dimension)


def label(parts: Parts, results: Probes) -> Floats:
    """Dimension of each part, joined by its id; NaN for the many that were never measured."""
    y = np.full(len(parts), np.nan)
    order = np.argsort(parts.part, kind="stable")
    spot = np.searchsorted(parts.part[order], results.part)
    found = spot < len(parts)
    found[found] = parts.part[order][spot[found]] == results.part[found]
    y[order[spot[found]]] = results.dimension[found]
    return y


def remaining(parts: Parts) -> tuple[Floats, NDArray[np.bool_], Ints]:
    """Cutting minutes from each part to the tool's change; whether that change was seen; which tool (0, 1, ...).

    The last tool is still in use: its minutes so far are a lower bound (censored), not a life.
    """
    changed = np.append(False, parts.tool[1:] != parts.tool[:-1])[: len(parts)]
    run = np.cumsum(changed).astype(np.int64)
    age = parts["minutes"] + parts["cut"] / 60.0
    last = np.searchsorted(run, run, "right") - 1
    return age[last] - age, run < (run[-1] if len(run) else 0), run


def steps_of(times: Sequence[int], values: Sequence[float]) -> Steps:
    """Steps from plain lists, for examples and tests."""
    return Steps(np.array(times, np.int64), np.array(values, np.float64))
