"""Learn from finished parts: their dimension, whether they are out of tolerance, how long the tool still lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import treelite
from numpy.typing import NDArray
from shopfloor.models import baseline, evaluate, fit
from shopfloor.models.bundle import tree_predict
from shopfloor.models.conformal import Probabilities, Residuals, arrays
from shopfloor.models.evaluate import Metric, metric
from shopfloor.models.features import PART_FEATURES, Matrix, part_features
from shopfloor.models.parts import TOLERANCE, Parts, Probes, label, remaining
from shopfloor.models.split import Mask, Split, others, out_of_fold, split
from shopfloor.models.task import Naming, Rows, Stopwatch, Trained, finish

Floats = NDArray[np.float64]
COVERAGE: Final = 0.9
_COVERAGE_WITHIN: Final = 0.02
_MOST: Final = 12_000

DIMENSION: Final = Naming("dimension", "Dimension of the part", "machine-tool", "regression", "um", PART_FEATURES)
OUT: Final = Naming("out_of_tolerance", "Part out of tolerance", "machine-tool", "exceedance", "", PART_FEATURES)
LIFE: Final = Naming("tool_life", "Remaining tool life", "machine-tool", "regression", "min", PART_FEATURES)


def dimension(machines: Mapping[str, Parts], known: Mapping[str, Probes], now: int) -> list[Trained]:
    """Two models from the probed parts: the dimension, and the probability of being out of tolerance."""
    watch = Stopwatch()
    rows, y = _probed(machines, known)
    plan = split(rows.asset, rows.time, "machines")
    said = out_of_fold(plan, lambda learn, judge: tree_predict(fit.regression(rows.x[learn], y[learn]), rows.x[judge]))
    checked = _intervals(plan, rows.x, y, said)
    trees = {"value": fit.regression(rows.x, y), "spread": checked.model}
    typical: dict[str, NDArray[Any]] = {"typical": fit.typical(rows.x, rows.asset, len(rows.assets))}
    sealed: dict[str, NDArray[Any]] = {**arrays(checked.residuals), **typical}
    settings = {"least_spread": checked.least, "limit": TOLERANCE}
    sure = finish(
        DIMENSION, rows, trees, sealed, _dimension_metrics(plan, rows.x, y, said, checked),
        split=plan.sentence, settings=settings, watch=watch, now=now,
    )  # fmt: skip
    return [sure, _out_of_tolerance(rows, y, plan, checked, Shared(trees, typical), now)]


def _probed(machines: Mapping[str, Parts], known: Mapping[str, Probes]) -> tuple[Rows, Floats]:
    names = tuple(sorted(machines))
    found, labels, asset, time = [], [], [], []
    for i, name in enumerate(names):
        parts = machines[name]
        y = label(parts, known[name])
        rows = np.flatnonzero(~np.isnan(y))
        found.append(part_features(parts, rows))
        labels.append(y[rows])
        asset.append(np.full(len(rows), i))
        time.append(parts.end[rows])
    return Rows(np.concatenate(found), np.concatenate(asset), np.concatenate(time), names), np.concatenate(labels)


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What the two models of a part have in common."""

    trees: Mapping[str, treelite.Model]
    typical: Mapping[str, NDArray[Any]]


class _Intervals:
    """Out-of-fold intervals of the judged rows, and the final spread model with its residuals."""

    def __init__(self, n: int) -> None:
        self.low = np.full(n, np.nan)
        self.high = np.full(n, np.nan)
        self.spread = np.full(n, np.nan)
        self.beyond = np.full(n, np.nan)
        self.least = 0.0
        self.model: treelite.Model = None
        self.residuals = Residuals(np.empty(0))


def _intervals(plan: Split, x: Matrix, y: Floats, said: Floats) -> _Intervals:
    """Calibrate on the judged rows of other assets, judge each group; then calibrate once more on all of them."""
    result = _Intervals(len(y))
    judged = ~np.isnan(said)
    off = np.abs(y - said)
    result.least = 0.25 * float(np.median(off[judged]))

    @cache
    def learned(rows: bytes) -> treelite.Model:
        """The calibrations within one another ask for the same rows again."""
        seen = np.frombuffer(rows, np.bool_)
        return fit.spread(x[seen], off[seen])

    def widths(seen: Mask, mine: Mask) -> Floats:
        return np.maximum(tree_predict(learned(seen.tobytes()), x[mine]), result.least)

    def calibrate(seen: Mask, mine: Mask) -> None:
        residuals = _residuals(plan, y, said, seen, widths)
        result.spread[mine] = widths(seen, mine)
        result.low[mine], result.high[mine] = residuals.interval(said[mine], result.spread[mine], COVERAGE)
        result.beyond[mine] = residuals.beyond(said[mine], result.spread[mine], TOLERANCE)

    others(plan, judged, calibrate)
    result.model = learned(judged.tobytes())
    result.residuals = _residuals(plan, y, said, judged, widths)
    return result


def _residuals(plan: Split, y: Floats, said: Floats, seen: Mask, widths: Callable[[Mask, Mask], Floats]) -> Residuals:
    """Normalised residuals whose spread comes from other groups of assets than their own."""
    spread = np.full(len(y), np.nan)

    def calibrate(learn: Mask, mine: Mask) -> None:
        spread[mine] = widths(learn, mine)

    others(plan, seen, calibrate)
    spread[seen & np.isnan(spread)] = float(np.mean(np.abs(y - said)[seen]))
    return Residuals.of(said[seen], y[seen], spread[seen])


def _dimension_metrics(plan: Split, x: Matrix, y: Floats, said: Floats, checked: _Intervals) -> list[Metric]:
    mean = float(y[plan.early].mean())
    return _compared(plan, y, said, checked, Rule("last probe", baseline.last_probe(x, mean), "um", -np.inf))


@dataclass(frozen=True, slots=True)
class Rule:
    """A trivial rule: its name, what it says of every row, the unit, and the least that can be."""

    name: str
    said: Floats
    unit: str
    floor: float


def _compared(plan: Split, y: Floats, said: Floats, checked: _Intervals, rule: Rule) -> list[Metric]:
    """Error and interval of the judged rows beside those of the rule, and beside the mean."""
    judged = ~np.isnan(checked.low)
    truth, beside = y[judged], rule.said[judged]
    mean = np.full(len(truth), float(y[plan.early].mean()))
    below, above = _flat_interval(plan, y, rule.said)
    low, high = np.maximum(beside + below, rule.floor), beside + above
    error = evaluate.mae(said[judged], truth)
    width = evaluate.interval_score(checked.low, checked.high, y, COVERAGE)
    share = evaluate.coverage(checked.low, checked.high, y)
    return [
        metric("mean absolute error", error, evaluate.mae(beside, truth), rule.name, rule.unit),
        metric("mean absolute error", error, evaluate.mae(mean, truth), "mean", rule.unit),
        metric("interval score", width, evaluate.interval_score(low, high, truth, COVERAGE), rule.name, rule.unit),
        Metric("coverage", share, COVERAGE, "promised", "", "higher", beats=abs(share - COVERAGE) <= _COVERAGE_WITHIN),
    ]


def _flat_interval(plan: Split, y: Floats, rule: Floats) -> tuple[float, float]:
    """The interval of a rule: quantiles of its own early errors."""
    off = (y - rule)[plan.early]
    return float(np.quantile(off, 0.05)), float(np.quantile(off, 0.95))


def _out_of_tolerance(rows: Rows, y: Floats, plan: Split, checked: _Intervals, shared: Shared, now: int) -> Trained:
    watch = Stopwatch()
    out = np.abs(y) > TOLERANCE
    judged = ~np.isnan(checked.beyond)
    said = np.full(len(y), np.nan)

    def calibrate(seen: Mask, mine: Mask) -> None:
        said[mine] = Probabilities.of(checked.beyond[seen], out[seen]).of_score(checked.beyond[mine])[0]

    others(plan, judged, calibrate)
    rate = baseline.base_rate(out[plan.early])
    truth, flat = out[judged].astype(float), np.full(int(judged.sum()), rate)
    precision = evaluate.average_precision(said[judged], truth)
    metrics = [
        metric("Brier score", evaluate.brier(said[judged], truth), evaluate.brier(flat, truth), "base rate"),
        metric("average precision", precision, float(truth.mean()), "base rate", higher=True),
    ]
    final = Probabilities.of(checked.beyond[judged], out[judged])
    sealed: dict[str, NDArray[Any]] = {**arrays(checked.residuals), **arrays(final), **shared.typical}
    settings = {"least_spread": checked.least, "limit": TOLERANCE, "base_rate": rate}
    return finish(
        OUT, rows, shared.trees, sealed, metrics, split=plan.sentence, settings=settings, watch=watch, now=now
    )  # fmt: skip


def tool_life(machines: Mapping[str, Parts], now: int) -> list[Trained]:
    """Remaining cutting minutes; tools still in use at the end count by weight, not as lives."""
    watch = Stopwatch()
    rows, y, weight = _tools(machines)
    plan = split(rows.asset, rows.time, "machines")
    said = out_of_fold(plan, lambda learn, judge: _life(rows.x, y, weight, learn, judge))
    said[weight == 0] = np.nan
    checked = _intervals(plan, rows.x, y, said)
    checked.low = np.maximum(checked.low, 0.0)
    used = weight > 0
    chosen = fit.resampled(weight)
    trees = {"value": fit.regression(rows.x[chosen], y[chosen]), "spread": checked.model}
    mean_life = float((y + _age(rows.x))[used].mean())
    sealed: dict[str, NDArray[Any]] = {
        **arrays(checked.residuals),
        "typical": fit.typical(rows.x, rows.asset, len(rows.assets)),
    }
    settings = {"least_spread": checked.least, "floor": 0.0, "mean_life": mean_life}
    metrics = _life_metrics(plan, rows.x, y, said, checked)
    return [
        finish(LIFE, rows, trees, sealed, metrics, split=plan.sentence, settings=settings, watch=watch, now=now)
    ]  # fmt: skip


def _life(x: Matrix, y: Floats, weight: Floats, learn: Mask, judge: Mask) -> Floats:
    chosen = fit.resampled(np.where(learn, weight, 0.0))
    return tree_predict(fit.regression(x[chosen], y[chosen]), x[judge])


def _age(x: Matrix) -> Floats:
    return baseline.part_column(x, "minutes") + baseline.part_column(x, "cut") / 60.0


def _tools(machines: Mapping[str, Parts]) -> tuple[Rows, Floats, Floats]:
    """Rows of all machines, their remaining minutes, and weights that make up for the tools still in use."""
    names = tuple(sorted(machines))
    step = max(1, sum(len(parts) for parts in machines.values()) // _MOST)
    found, left, seen, asset, time = [], [], [], [], []
    for i, name in enumerate(names):
        parts = machines[name]
        y, ended, _ = remaining(parts)
        chosen = np.arange(i % step, len(parts), step)
        found.append(part_features(parts, chosen))
        left.append(y[chosen])
        seen.append(ended[chosen])
        asset.append(np.full(len(chosen), i))
        time.append(parts.end[chosen])
    rows = Rows(np.concatenate(found), np.concatenate(asset), np.concatenate(time), names)
    y = np.concatenate(left)
    return rows, y, fit.reachable(_age(rows.x) + y, np.concatenate(seen))


def _life_metrics(plan: Split, x: Matrix, y: Floats, said: Floats, checked: _Intervals) -> list[Metric]:
    habit = baseline.usual_life(x, float((y + _age(x))[plan.early].mean()))
    return _compared(plan, y, said, checked, Rule("usual life less age", habit, "min", 0.0))
