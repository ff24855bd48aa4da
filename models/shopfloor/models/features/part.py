"""Features of finished parts: how the signals drifted since the tool's beginning, what was probed, what is usual here.

No clock, counter or id enters: ages are cutting minutes, distances are differences.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from shopfloor.models.bins import mean
from shopfloor.models.columns import Floats, Ints
from shopfloor.models.features.matrix import Matrix, divide
from shopfloor.models.parts import NUMBERS, Parts

WINDOW: Final = 16
MEMORY: Final = 600
"""Parts, the described one included, that its features look at: longer histories say the same."""
_BEGINNING: Final = 3
_DRIFTING: Final = ("spindle.power", "spindle.torque", "axis.x.load", "axis.y.load", "axis.z.load", "vibration.rms")
_AS_IT_IS: Final = (
    "spindle.load",
    "coolant.flow",
    "spindle.power spread",
    "vibration.rms spread",
    "spindle.power tail",
    "vibration.rms tail",
    "spindle.temperature",
    "bearing.temperature",
    "coolant.temperature",
    "coolant.concentration",
    "setpoint.speed",
    "setpoint.feed",
    "setpoint.offset",
    "setpoint.tool_limit",
    "minutes",
    "cut",
    "pause",
    "program",
)
_SINCE_PROBE: Final = (
    "spindle.power",
    "vibration.rms",
    "axis.z.load",
    "spindle.temperature",
    "bearing.temperature",
    "coolant.temperature",
    "setpoint.offset",
    "setpoint.speed",
)
_DRIFTS: Final = ("now", "smooth", "ratio", "slope")

PART_FEATURES: Final = (
    *(f"{name} {how}" for name in _DRIFTING for how in _DRIFTS),
    *_AS_IT_IS,
    "busy",
    "temperature rise",
    "lot parts",
    "lot step",
    "room",
    "probe dimension",
    "probe parts",
    "probe minutes",
    "probe same tool",
    *(f"{name} since probe" for name in _SINCE_PROBE),
    "life mean",
    "life last",
    "power at change",
    "minutes left by habit",
)

_COLUMN: Final = {name: i for i, name in enumerate(NUMBERS)}
_WEIGHTS: Final = 0.8 ** np.arange(WINDOW - 1, -1, -1.0)


def part_features(parts: Parts, rows: Ints) -> Matrix:
    """Features [len(rows), PART_FEATURES] of the chosen parts of one machine, each from its last `MEMORY` parts."""
    first = np.maximum(_tool_start(parts), np.arange(len(parts)) - MEMORY + 1)
    blocks = [
        _drift(parts, rows, first),
        parts.values[rows][:, [_COLUMN[name] for name in _AS_IT_IS]],
        _warmth(parts, rows),
        _material(parts, rows, first),
        _probed(parts, rows),
        _habit(parts, rows),
    ]
    return np.concatenate(blocks, axis=1).astype(np.float32)


def _tool_start(parts: Parts) -> Ints:
    """Row of the first part that was cut with the same tool."""
    begins = np.ones(len(parts), bool)
    begins[1:] = parts.tool[1:] != parts.tool[:-1]
    row = np.where(begins, np.arange(len(parts)), 0)
    return np.maximum.accumulate(row).astype(np.int64)


def _window(values: Floats, rows: Ints, lowest: Ints, width: int) -> Floats:
    """`values` of the `width` parts up to each row, [rows, k, width]; NaN before `lowest`."""
    index = rows[:, None] - np.arange(width - 1, -1, -1)
    window = values[np.maximum(index, 0)]
    window[index < np.maximum(lowest, 0)[:, None]] = np.nan
    return np.ascontiguousarray(window.transpose(0, 2, 1))


def _drift(parts: Parts, rows: Ints, first: Ints) -> Floats:
    """Each signal now, smoothed, against the tool's beginning (ratio) and its slope per cutting minute."""
    values = parts.values[:, [_COLUMN[name] for name in _DRIFTING]]
    window = _window(values, rows, first[rows], WINDOW)
    known = ~np.isnan(window)
    filled = np.where(known, window, 0.0)
    smooth = divide((filled * _WEIGHTS).sum(-1), (known * _WEIGHTS).sum(-1))
    ratio = divide(smooth, _beginning(parts, values, rows, first))
    age = _window(parts["minutes"][:, None], rows, first[rows], WINDOW)
    away = np.where(known, age - mean(np.where(known, age, np.nan), -1)[..., None], 0.0)
    slope = divide((away * filled).sum(-1), (away * away).sum(-1))
    return np.stack([values[rows], smooth, ratio, slope], axis=-1).reshape(len(rows), -1)


def _beginning(parts: Parts, values: Floats, rows: Ints, first: Ints) -> Floats:
    """Mean of the tool's first parts; NaN when its beginning was not seen."""
    index = first[rows][:, None] + np.arange(_BEGINNING)
    start = values[np.minimum(index, rows[:, None])]
    start[index > rows[:, None]] = np.nan
    begun = parts["minutes"][first[rows]] <= 2.0 * parts["cut"][first[rows]] / 60.0
    start[~begun] = np.nan
    return mean(np.ascontiguousarray(start.transpose(0, 2, 1)), -1)


def _warmth(parts: Parts, rows: Ints) -> Floats:
    """How busy the machine was over its last parts, and how much its spindle warmed up meanwhile."""
    since = np.maximum(rows - WINDOW + 1, 0)
    cut = np.nansum(_window(parts["cut"][:, None], rows, since, WINDOW)[:, 0], axis=-1)
    elapsed = (parts.end[rows] - parts.start[since]) / 1e9
    warm = parts["spindle.temperature"]
    return np.stack([cut / elapsed, warm[rows] - warm[since]], axis=1)


def _material(parts: Parts, rows: Ints, first: Ints) -> Floats:
    """Parts since the lot changed, and the step in power at that change when one tool saw both lots."""
    lot = np.nan_to_num(parts["lot"], nan=-1.0)
    begins = np.ones(len(parts), bool)
    begins[1:] = lot[1:] != lot[:-1]
    start = np.maximum.accumulate(np.where(begins, np.arange(len(parts)), 0))[rows]
    power = parts["spindle.power"]
    index = start[:, None] + np.arange(_BEGINNING)
    after = np.where(index <= rows[:, None], power[np.minimum(index, rows[:, None])], np.nan)
    index = start[:, None] - 1 - np.arange(_BEGINNING)
    before = np.where(index >= first[rows][:, None], power[np.maximum(index, 0)], np.nan)
    step = divide(mean(after, -1), mean(before, -1))
    return np.stack([np.minimum(rows - start, 200).astype(float), step, _room(parts, rows)], axis=1)


def _room(parts: Parts, rows: Ints) -> Floats:
    """Power now against the power at which the machine's last tools were changed."""
    last = _lives(parts)[0]
    at_change = _recent(parts["spindle.power"][last], last, rows)
    return divide(parts["spindle.power"][rows], at_change[:, 0])


def _probed(parts: Parts, rows: Ints) -> Floats:
    """What the last known probe said, how long ago that part was cut, and what changed since."""
    spot = _row_of(parts.part, parts["probe.part"][rows])
    known = (spot > rows - MEMORY) & (spot >= 0) & (spot <= rows)
    at = np.where(known, spot, rows)
    columns = [_COLUMN[name] for name in _SINCE_PROBE]
    found = np.concatenate(
        [
            parts["probe.dimension"][rows][:, None],
            (rows - at)[:, None],
            parts["minutes"][at][:, None],
            (parts.tool[at] == parts.tool[rows])[:, None],
            parts.values[rows][:, columns] - parts.values[at][:, columns],
        ],
        axis=1,
    ).astype(np.float64)
    found[~known, 1:] = np.nan
    return found


def _row_of(ids: Ints, wanted: Floats) -> Ints:
    """Row of each wanted part, -1 when it is not among them."""
    order = np.argsort(ids, kind="stable")
    target = np.where(np.isnan(wanted), -1, wanted).astype(np.int64)
    spot = np.minimum(np.searchsorted(ids[order], target), len(ids) - 1)
    return np.where(ids[order[spot]] == target, order[spot], -1).astype(np.int64)


def _lives(parts: Parts) -> tuple[Ints, Floats]:
    """Last row of each finished tool, and its age then (cutting minutes)."""
    last = np.flatnonzero(parts.tool[1:] != parts.tool[:-1])
    return last, parts["minutes"][last] + parts["cut"][last] / 60.0


def _recent(values: Floats, last: Ints, rows: Ints) -> Floats:
    """Mean of the five values whose row `last` comes next before each row, and the newest; NaN when there is none."""
    if not len(values):
        return np.full((len(rows), 2), np.nan)
    index = np.searchsorted(last, rows, "left")[:, None] - 1 - np.arange(5)
    at = np.maximum(index, 0)
    window = np.where((index >= 0) & (last[at] > rows[:, None] - MEMORY), values[at], np.nan)
    return np.stack([mean(window, -1), window[:, 0]], axis=1)


def _habit(parts: Parts, rows: Ints) -> Floats:
    """How long this machine's last tools lived, the power at which they were changed, what that leaves."""
    last, life = _lives(parts)
    lives = _recent(life, last, rows)
    power = _recent(parts["spindle.power"][last], last, rows)[:, :1]
    left = lives[:, :1] - parts["minutes"][rows][:, None] - parts["cut"][rows][:, None] / 60.0
    return np.concatenate([lives, power, left], axis=1)
