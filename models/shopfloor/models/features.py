"""Features: pure functions from part rows and pot bins to float32, the same code offline and online.

float32 at this boundary makes training, the compiled trees and live scoring agree to the last bit. No clock, counter or
id enters: ages are cutting minutes, distances are differences, and a tool's drift is against its own beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bins import AT, BIN, BLOCK, HELD, Bins, mean
from shopfloor.models.columns import HOUR, MINUTE, Floats, Ints
from shopfloor.models.parts import NUMBERS, Parts

Matrix = NDArray[np.float32]

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
    smooth = _divide((filled * _WEIGHTS).sum(-1), (known * _WEIGHTS).sum(-1))
    ratio = _divide(smooth, _beginning(parts, values, rows, first))
    age = _window(parts["minutes"][:, None], rows, first[rows], WINDOW)
    away = np.where(known, age - mean(np.where(known, age, np.nan), -1)[..., None], 0.0)
    slope = _divide((away * filled).sum(-1), (away * away).sum(-1))
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
    step = _divide(mean(after, -1), mean(before, -1))
    return np.stack([np.minimum(rows - start, 200).astype(float), step, _room(parts, rows)], axis=1)


def _room(parts: Parts, rows: Ints) -> Floats:
    """Power now against the power at which the machine's last tools were changed."""
    last = _lives(parts)[0]
    at_change = _recent(parts["spindle.power"][last], last, rows)
    return _divide(parts["spindle.power"][rows], at_change[:, 0])


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


def _divide(a: Any, b: Any) -> Floats:
    """A / b, NaN where b is nothing."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    result: Floats = np.divide(a, b, out=np.full(a.shape, np.nan), where=np.abs(b) > 1e-12)
    return result


FINE: Final = 120
"""Bins (one hour) that a pot's features look at in detail."""
COARSE: Final = 144
"""Blocks (24 hours) of its long memory."""
BINS_SEEN: Final = (COARSE + 1) * BLOCK
"""Bins that hold both, wherever the blocks of the clock begin: longer histories say the same."""

_LEVELS: Final = ("resistance", "voltage", "noise", "feed.rate", "duct.temperature", "current", "resistance spread")
_WATCHED: Final = ("resistance", "voltage", "noise", "feed.rate", "duct.temperature", "resistance spread")
_SINCE: Final = ("TAPPING", "ANODE_CHANGE", "ANODE_EFFECT", "UNDERFEED", "OVERFEED")

POT_FEATURES: Final = (
    *(f"{name} level" for name in _LEVELS),
    *(f"resistance slope {m}" for m in (5, 10, 20, 60)),
    "resistance bend",
    *(f"noise slope {m}" for m in (10, 60)),
    *(f"{name} own" for name in _WATCHED),
    *(f"{name} neighbours" for name in _WATCHED),
    *(f"{name} own share" for name in _WATCHED),
    *(f"feed deficit {h}" for h in (1, 3, 6, 12)),
    "feed efficiency",
    *HELD,
    *(f"minutes since {name}" for name in _SINCE),
    *(f"{name} share" for name in ("UNDERFEED", "OVERFEED")),
    "voltage off",
    "resistance off",
    *(f"beam move {m}" for m in (10, 30, 60)),
    *(f"{name} run" for name in ("UNDERFEED", "OVERFEED")),
    *(f"resistance slope {name}" for name in ("UNDERFEED", "OVERFEED")),
    "noise peak",
)


def pot_features(fine: NDArray[Any], coarse: NDArray[Any]) -> Matrix:
    """Features [n, POT_FEATURES] of n pots, from the last bins [FINE, n, k] and blocks [COARSE, n, k]."""
    return _pot_features(fine.astype(np.float64), _Day.of(coarse.astype(np.float64)))


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """What the long memory of n pots says: it changes with every block, not with every bin. All are [n]."""

    level: Mapping[str, Floats]
    spread: Mapping[str, Floats]
    fed: Mapping[int, Floats]
    target: Floats
    since: Mapping[str, Floats]

    @classmethod
    def of(cls, coarse: Floats) -> Self:
        """From blocks [COARSE, n, k]."""
        feed, blocks_an_hour = coarse[:, :, AT["feed.rate"]], HOUR // (BIN * BLOCK)
        return cls(
            {name: mean(coarse[:, :, AT[name]], 0) for name in _LEVELS},
            {name: _spread(coarse[:, :, AT[name]]) for name in _WATCHED},
            {h: mean(feed[-h * blocks_an_hour :], 0) for h in (3, 6, 12)},
            mean(coarse[-6:, :, AT["resistance"]], 0),
            {name: _minutes_of(coarse[:, :, AT[name]]) for name in _SINCE},
        )


def _pot_features(fine: Floats, day: _Day) -> Matrix:
    now = {name: mean(fine[-10:, :, AT[name]], 0) for name in _LEVELS}
    past = day.level
    columns: list[Floats] = [now[name] for name in _LEVELS]
    resistance, noise = fine[:, :, AT["resistance"]], fine[:, :, AT["noise"]]
    slopes = [_slope(resistance[-2 * minutes :]) for minutes in (5, 10, 20, 60)]
    columns += [*slopes, slopes[0] - slopes[2], _slope(noise[-20:]), _slope(noise)]
    columns += [now[name] - past[name] for name in _WATCHED]
    columns += [now[name] - past[name] - _middle(now[name] - past[name]) for name in _WATCHED]
    columns += [_divide(now[name] - past[name], day.spread[name]) for name in _WATCHED]
    columns += _feeding(fine, day)
    columns += [fine[-1, :, AT[name]] for name in HELD]
    columns += [_minutes_since(fine[:, :, AT[name]], day.since[name]) for name in _SINCE]
    columns += [mean(fine[:, :, AT[name]], 0) for name in ("UNDERFEED", "OVERFEED")]
    columns += [now["voltage"] - fine[-1, :, AT["setpoint.voltage"]]]
    columns += _steering(fine, day, now)
    return np.stack(columns, axis=1).astype(np.float32)


def _middle(x: Floats) -> Floats:
    """Median of the known pots."""
    known = x[~np.isnan(x)]
    return np.full(x.shape, np.median(known) if len(known) else np.nan)


def _spread(x: Floats) -> Floats:
    """Standard deviation of [t, n] over time; NaN where less than three are known."""
    away = x - mean(x, 0)
    return np.where((~np.isnan(x)).sum(0) >= 3, np.sqrt(mean(away * away, 0)), np.nan)


def _slope(x: Floats) -> Floats:
    """Least-squares slope of [t, n] per minute; missing values count as the mean."""
    t = (np.arange(len(x)) - (len(x) - 1) / 2.0)[:, None] * (BIN / MINUTE)
    away = np.nan_to_num(x - mean(x, 0), nan=0.0)
    slope: Floats = (t * away).sum(0) / (t * t).sum()
    return np.where(np.isnan(x).all(0), np.nan, slope)


def _feeding(fine: Floats, day: _Day) -> list[Floats]:
    """Alumina fed in the last hours against the pot's own day (kg), and the last hour's share of it."""
    usual = day.level["feed.rate"]
    hour = mean(fine[:, :, AT["feed.rate"]], 0)
    deficits = [hour - usual, *((fed - usual) * h for h, fed in day.fed.items())]
    return [*deficits, _divide(hour, usual)]


def _steering(fine: Floats, day: _Day, now: Mapping[str, Floats]) -> list[Floats]:
    """What the control does: distance from its target, beam moves, how long it feeds less or more, and what follows."""
    beam = fine[:, :, AT["beam.position"]]
    moves = [beam[-1] - beam[-1 - 2 * minutes] for minutes in (10, 30)] + [beam[-1] - beam[0]]
    feeding = [fine[:, :, AT[name]] for name in ("UNDERFEED", "OVERFEED")]
    resistance = fine[-60:, :, AT["resistance"]]
    slopes = [_slope(np.where(mode[-60:] > 0, resistance, np.nan)) for mode in feeding]
    noise = fine[:, :, AT["noise"]]
    peak = np.max(np.where(np.isnan(noise[-20:]), -np.inf, noise[-20:]), axis=0) - day.level["noise"]
    peak = np.where(np.isinf(peak), np.nan, peak)
    return [now["resistance"] - day.target, *moves, *(_run(mode) for mode in feeding), *slopes, peak]


def _run(mode: Floats) -> Floats:
    """Minutes that a mode has lasted, within the last hour; 0 when it is not on."""
    off = ~(mode[::-1] > 0)
    length = np.where(off.any(0), off.argmax(0), len(mode))
    return length * (BIN / MINUTE)


def _minutes_since(fine: Floats, far: Floats) -> Floats:
    """Minutes since a state was last seen, at most a day; `far` are those that the blocks tell."""
    recent = fine[::-1] > 0
    near = np.where(recent.any(0), recent.argmax(0) * (BIN / MINUTE), np.inf)
    return np.minimum(near, far)


def _minutes_of(coarse: Floats) -> Floats:
    """Minutes since the middle of the last block that held a state."""
    older = coarse[::-1] > 0
    far = np.where(older.any(0), (older.argmax(0) * BLOCK + BLOCK / 2) * (BIN / MINUTE), COARSE * BLOCK * BIN / MINUTE)
    return np.maximum(far, 0.0)


def pot_history(bins: Bins, rows: Ints) -> Matrix:
    """The same features at many moments: [len(rows), pots, POT_FEATURES] as known at the end of each chosen bin."""
    times, blocks = bins.blocks()
    out = np.empty((len(rows), len(bins.pots), len(POT_FEATURES)), np.float32)
    last, day = -1, None
    for i, row in enumerate(rows.tolist()):
        upto = int(np.searchsorted(times, bins.time[row], "right"))
        if day is None or upto != last:
            last, day = upto, _Day.of(padded(blocks, upto, COARSE).astype(np.float64))
        out[i] = _pot_features(padded(bins.values, row + 1, FINE).astype(np.float64), day)
    return out


def padded(values: NDArray[Any], end: int, width: int) -> NDArray[Any]:
    """The `width` rows before `end`, NaN where there are none."""
    window = values[max(end - width, 0) : end]
    if len(window) == width:
        return window
    return np.concatenate([np.full((width - len(window), *values.shape[1:]), np.nan, values.dtype), window])


_EXCUSED: Final = 60.0
"""Minutes after a tapping, an anode change or an anode effect."""


def excused(x: Matrix) -> NDArray[np.bool_]:
    """Moments [n] within an hour after tapping, an anode change or an anode effect: unusual by plan."""
    since = [POT_FEATURES.index(f"minutes since {name}") for name in ("TAPPING", "ANODE_CHANGE", "ANODE_EFFECT")]
    return np.any(x[:, since] < _EXCUSED, axis=1)  # type: ignore[no-any-return]
