"""Learn from pot bins: what is unusual for a pot among its neighbours, and how near the next anode effect is."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models import evaluate, fit
from shopfloor.models.baseline import base_rate
from shopfloor.models.bins import BIN, HORIZON, Bins, effects
from shopfloor.models.bundle import tree_predict
from shopfloor.models.columns import DAY, HOUR, MINUTE, Ints
from shopfloor.models.conformal import Probabilities, arrays
from shopfloor.models.evaluate import Metric, metric
from shopfloor.models.features import POT_FEATURES, Matrix, excused, pot_history
from shopfloor.models.scorer import distance
from shopfloor.models.split import Mask, Split, others, out_of_fold, split
from shopfloor.models.task import Naming, Progress, Rows, Stopwatch, TooLittleHistory, Trained, finish

Floats = NDArray[np.float64]
STRIDE: Final = 10
"""Bins between two training moments (five minutes)."""
_FALSE_ALARMS: Final = 0.1
_FALSE_WATCHES: Final = 0.5
_AHEAD: Final = 120.0
_MOST: Final = 20_000

UNUSUAL: Final = Naming("pot_unusual", "Unusual behaviour", "reduction-pot", "distance", "", POT_FEATURES)
EFFECT: Final = Naming(
    "anode_effect", "Anode effect within 30 minutes", "reduction-pot", "probability", "", POT_FEATURES
)
DEVIATIONS: Final = tuple(i for i, n in enumerate(POT_FEATURES) if n.endswith((" own share", " neighbours")))
"""How far a pot is from its own day (in its own spread) and from the other pots."""


def moments(bins: Bins, progress: Progress) -> tuple[Rows, Mask, Floats]:
    """Training rows of all pots every five minutes; in effect now (or just after); minutes to the next anode effect."""
    which = np.arange(2 * STRIDE, len(bins), STRIDE)
    progress(0.0, "Describing each pot against its own past and its neighbours")
    x = pot_history(bins, which)
    pots = np.arange(len(bins.pots))
    time = np.repeat(bins.time[which], len(pots))
    rows = Rows(x.reshape(-1, x.shape[2]), np.tile(pots, len(which)), time, bins.pots)
    in_effect, until = effects(bins)
    known = ~np.isnan(rows.x[:, 0])
    return rows.take(known), in_effect[which].reshape(-1)[known], until[which].reshape(-1)[known]


def anode_effect(rows: Rows, busy: Mask, until: Floats, now: int) -> list[Trained]:
    """How likely an anode effect is within the horizon; too little to learn from raises `TooLittleHistory`."""
    watch = Stopwatch()
    soon = until <= HORIZON / MINUTE
    known = ~busy & (rows.time <= rows.time.max(initial=0) - HORIZON)
    rows, soon = rows.take(known), soon[known]
    plan = _plan(rows)
    if soon.all() or not soon.any():
        raise TooLittleHistory(_NO_EFFECT)
    used = _thinned(soon)
    said = out_of_fold(plan, lambda learn, judge: _likely(rows.x, soon, used & learn, judge))
    judged = ~np.isnan(said)
    calibrated = np.full((3, len(said)), np.nan)

    def calibrate(seen: Mask, mine: Mask) -> None:
        calibrated[:, mine] = Probabilities.of(said[seen], soon[seen], together=_TOGETHER).of_score(said[mine])

    others(plan, judged, calibrate)
    rate = base_rate(soon[plan.early])
    final = Probabilities.of(said[judged], soon[judged], together=_TOGETHER)
    trees = {"value": fit.probability(rows.x[used], soon[used])}
    raw = final.of_score(said[judged])[0]
    watch_at, alarm = (_level(raw, rows.take(judged), soon[judged], r) for r in (_FALSE_WATCHES, _FALSE_ALARMS))
    sealed: dict[str, NDArray[Any]] = {**arrays(final), "typical": fit.typical(rows.x, rows.asset, len(rows.assets))}
    settings = {
        "base_rate": rate,
        "watch": watch_at,
        "act": alarm,
        "horizon_minutes": HORIZON / MINUTE,
    }
    metrics = _effect_metrics(rows, calibrated[0], soon, rate, alarm, judged)
    return [
        finish(EFFECT, rows, trees, sealed, metrics, split=plan.sentence, settings=settings, watch=watch, now=now)
    ]  # fmt: skip


_NO_EFFECT: Final = (
    "The history holds no anode effect, or nothing else: to learn its signs, moments before one and others are needed."
    " Keep more history; it is tried again later."
)


def _plan(rows: Rows) -> Split:
    """How rows are learned from and scored on; raises `TooLittleHistory` when no pot could be scored by the others."""
    if len(rows.x):
        plan = split(rows.asset, rows.time, "pots")
        if any(learn.any() and judge.any() for learn, judge in plan.folds()):
            return plan
    raise TooLittleHistory(
        f"The history holds {len(rows.x)} calm moments of {len(np.unique(rows.asset))} pots, five minutes apart: models"
        " of pots need two pots at least, over a day or more. Keep more history; it is tried again later."
    )


_TOGETHER: Final = HORIZON / (STRIDE * BIN)


def _thinned(soon: Mask) -> Mask:
    """Rows to learn from: every moment before an anode effect, an even sample of the many others.

    That shifts the raw probabilities; calibration on all moments puts them right.
    """
    step = max(1, int((~soon).sum()) // _MOST)
    used = soon.copy()
    used[np.flatnonzero(~soon)[::step]] = True
    return used


def _likely(x: Matrix, soon: Mask, learn: Mask, judge: Mask) -> Floats:
    if soon[learn].all() or not soon[learn].any():
        return np.full(int(judge.sum()), float(soon[learn].mean()))
    return tree_predict(fit.probability(x[learn], soon[learn]), x[judge])


def _level(probability: Floats, rows: Rows, soon: Mask, rate: float) -> float:
    """The smallest probability at which false alarms stay within the stated rate per pot-day."""
    return float(_threshold(np.where(soon, 0.0, probability), rows.asset, rows.time, rate))


def _effect_metrics(rows: Rows, p: Floats, soon: Mask, rate: float, alarm: float, judged: Mask) -> list[Metric]:
    truth, said = soon[judged].astype(float), p[judged]
    flat = np.full(len(truth), rate)
    false = _episodes(np.where(soon, 0.0, p)[judged] > alarm, rows.asset[judged], rows.time[judged])
    rate_of_false = false / _pot_days(rows.take(judged))
    found = _events_found(rows, p, soon, alarm, judged)
    precision = evaluate.average_precision(said, truth)
    return [
        metric("Brier score", evaluate.brier(said, truth), evaluate.brier(flat, truth), "base rate"),
        metric("average precision", precision, float(truth.mean()), "base rate", higher=True),
        Metric("anode effects announced", found, None, "share of those that came", "", "higher", beats=True),
        _false_alarms(rate_of_false),
    ]


def _false_alarms(measured: float) -> Metric:
    kept = measured <= _FALSE_ALARMS
    return Metric("false alarms", measured, _FALSE_ALARMS, "promised", "per pot-day", "lower", beats=kept)


def _events_found(rows: Rows, p: Floats, soon: Mask, alarm: float, judged: Mask) -> float:
    """Share of anode effects that had at least one moment above the alarm level in the half hour before."""
    mine = np.flatnonzero(judged & soon)
    if not len(mine):
        return float("nan")
    order = mine[np.lexsort((rows.time[mine], rows.asset[mine]))]
    apart = (np.diff(rows.time[order]) > 2 * STRIDE * BIN) | (np.diff(rows.asset[order]) != 0)
    event = np.concatenate([[0], np.cumsum(apart)])
    hit = np.zeros(event[-1] + 1)
    np.maximum.at(hit, event, (p[order] > alarm).astype(float))
    return float(hit.mean())


def pot_unusual(rows: Rows, busy: Mask, until: Floats, now: int) -> list[Trained]:
    """A distance from normal that alarms so often per pot-day; too little to learn from raises `TooLittleHistory`."""
    watch = Stopwatch()
    calm = ~busy & ~excused(rows.x)
    rows, until = rows.take(calm), until[calm]
    plan = _plan(rows)
    said = out_of_fold(plan, lambda learn, judge: distance(normal(rows.x[learn]), rows.x[judge]))
    judged = ~np.isnan(said)
    calm_ahead = until > _AHEAD
    alarms = np.zeros(2)

    def calibrate(seen: Mask, mine: Mask) -> None:
        level = _threshold(np.where(calm_ahead, said, 0.0)[seen], rows.asset[seen], rows.time[seen])
        false = calm_ahead[mine] & (said[mine] > level)
        alarms[:] += _episodes(false, rows.asset[mine], rows.time[mine]), _pot_days(rows.take(mine))

    others(plan, judged, calibrate)
    level = _threshold(np.where(calm_ahead, said, 0.0)[judged], rows.asset[judged], rows.time[judged])
    settings = {"threshold": level, "wobble": _wobble(said / level, rows, judged), "watch": 1.0, "act": 1.5}
    settings["alarms_per_pot_day"] = _FALSE_ALARMS
    metrics = _unusual_metrics(rows, said, until, judged, alarms)
    sealed: dict[str, NDArray[Any]] = {**normal(rows.x), "typical": fit.typical(rows.x, rows.asset, len(rows.assets))}
    return [
        finish(UNUSUAL, rows, {}, sealed, metrics, split=plan.sentence, settings=settings, watch=watch, now=now)
    ]  # fmt: skip


def normal(x: Matrix) -> dict[str, NDArray[Any]]:
    """What is normal: centre, robust scale and correlations of the deviations."""
    columns = np.array(DEVIATIONS)
    chosen = fit.filled(x)[:, columns].astype(np.float64)
    centre = np.nanmedian(chosen, axis=0)
    away = np.nan_to_num(chosen - centre, nan=0.0)
    scale = np.maximum(1.4826 * np.median(np.abs(away), axis=0), 1e-6 + 1e-3 * away.std(axis=0))
    z = np.clip(away / scale, -4.0, 4.0)
    covariance = 0.8 * np.cov(z.T) + 0.2 * np.eye(len(columns))
    size, axes = np.linalg.eigh(covariance)
    return {"columns": columns, "centre": centre, "scale": scale, "turn": axes / np.sqrt(size)}


def _unusual_metrics(rows: Rows, said: Floats, until: Floats, judged: Mask, alarms: Floats) -> list[Metric]:
    coming = (until <= _AHEAD)[judged].astype(float)
    single = np.abs(rows.x[judged][:, POT_FEATURES.index("resistance own")]).astype(np.float64)
    precision = evaluate.average_precision(said[judged], coming)
    alone = evaluate.average_precision(np.nan_to_num(single), coming)
    name = "average precision, anode effect within 2 h"
    return [
        metric(name, precision, alone, "resistance alone", higher=True),
        _false_alarms(float(alarms[0] / max(alarms[1], 1e-9))),
    ]


def _wobble(value: Floats, rows: Rows, judged: Mask) -> float:
    """Nine of ten steps from one moment to the next stay within this: the interval of a distance that has no truth."""
    order = np.flatnonzero(judged)[np.lexsort((rows.time[judged], rows.asset[judged]))]
    near = (np.diff(rows.asset[order]) == 0) & (np.diff(rows.time[order]) == STRIDE * BIN)
    step = np.abs(np.diff(value[order]))[near]
    return float(np.quantile(step, 0.9)) if len(step) else 0.1


def _pot_days(rows: Rows) -> float:
    return len(rows.x) * STRIDE * BIN / DAY


def _episodes(above: Mask, asset: Ints, time: Ints) -> int:
    """Alarms: runs of moments above the level, half an hour or more apart."""
    at = np.flatnonzero(above)
    order = at[np.lexsort((time[at], asset[at]))]
    if not len(order):
        return 0
    fresh = (np.diff(asset[order]) != 0) | (np.diff(time[order]) > HOUR // 2)
    return 1 + int(fresh.sum())


def _threshold(value: Floats, asset: Ints, time: Ints, rate: float = _FALSE_ALARMS) -> float:
    """The smallest level that keeps alarms within the stated rate."""
    days = len(value) * STRIDE * BIN / DAY
    levels = np.quantile(value, 1.0 - np.geomspace(0.2, 1e-5, 60))
    for level in levels:
        if _episodes(value > level, asset, time) <= rate * days:
            return float(level)
    return float(levels[-1])
