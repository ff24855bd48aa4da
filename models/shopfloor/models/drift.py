"""Drift: whether what a model sees, and how well it keeps its word, is still what it was.

Three monitors, for three uses. `psi` compares the distribution of each feature with that of training: to look at.
`Shift` (Page's test on many streams at once) says when a mean has moved, at a false-alarm rate that was chosen: to look
at as well, for a champion sees the same drift as its successor. `CoverageAlarm` watches whether the truth falls outside
the promised interval more often than promised: the one that acts.

Sources: Page, "Continuous inspection schemes" (1954); Hinkley (1971); Shin, Ramdas and Rinaldo, "E-detectors" (2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FLOOR: Final = 1e-4


def shares(x: NDArray[Any], edges: Floats) -> Floats:
    """The share of each bin, [f, bins], of features [n, f]; all 0 where a feature has no value."""
    bins = edges.shape[1] + 1
    counts = np.empty((x.shape[1], bins))
    for feature in range(x.shape[1]):
        column = x[:, feature][np.isfinite(x[:, feature])]
        counts[feature] = np.bincount(np.searchsorted(edges[feature], column, "right"), minlength=bins)
    found: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return found


def psi(kept: dict[str, Floats], x: NDArray[Any]) -> Floats:
    """Population stability index of each feature [f] of rows [n, f] against `reference`; 0.2 is commonly called much.

    >>> from shopfloor.models.reference import reference
    >>> rng = np.random.default_rng(0)
    >>> kept = reference(rng.normal(size=(5000, 2)))
    >>> same, moved = psi(kept, rng.normal(size=(1000, 2)) + np.array([0.0, 1.0]))
    >>> bool(same < 0.05), bool(moved > 0.2)
    (True, True)
    """
    was = np.maximum(kept["drift shares"], _FLOOR)
    now = np.maximum(shares(x, kept["drift edges"]), _FLOOR)
    index: Floats = ((now - was) * np.log(now / was)).sum(axis=1)
    return index


@dataclass(slots=True, eq=False)
class Shift:
    """Page's test for a moved mean, up or down, on k streams at once.

    A value counts in standard deviations from `centre` [k] by `scale` [k], less `slack`: half of the smallest shift
    that is worth finding. `threshold` comes from `calibrated`. State: `up` and `down` [k].
    """

    centre: Floats
    scale: Floats
    threshold: float
    slack: float
    up: Floats
    down: Floats

    @classmethod
    def calibrated(cls, quiet: Floats, between: float, *, slack: float = 0.25) -> Shift:
        """Streams [n, k] from a time when all was well; on such, a stream raises one false alarm in `between` values.

        Between two resets Page's statistic runs in cycles that begin at 0; its false alarms are the cycles that reach
        the threshold. The heights of the highest twentieth fall off exponentially: so we see farther than the data.
        """
        centre, scale = quiet.mean(axis=0), np.maximum(quiet.std(axis=0), 1e-12)
        z = (quiet - centre) / scale
        peaks = np.concatenate([_peaks(z - slack), _peaks(-z - slack)])
        values = 2.0 * quiet.size
        nothing = np.zeros(quiet.shape[1])
        return cls(centre, scale, _threshold(peaks, values, 2.0 * between), slack, nothing, nothing.copy())

    def update(self, x: Floats) -> NDArray[np.bool_]:
        """The next value of every stream [k]: which alarm, [k]. One that alarms begins anew; NaN changes nothing."""
        z = (x - self.centre) / self.scale
        silent = np.isnan(z)
        any_silent = bool(silent.any())
        for level, step in ((self.up, z - self.slack), (self.down, -z - self.slack)):
            if any_silent:
                step[silent] = 0.0
            np.maximum(np.add(level, step, out=level), 0.0, out=level)
        alarm: NDArray[np.bool_] = np.maximum(self.up, self.down) > self.threshold
        self.up[alarm] = self.down[alarm] = 0.0
        return alarm


def _peaks(steps: Floats) -> Floats:
    """The height of every cycle of Page's statistic over steps [n, k]."""
    level, peak = np.zeros(steps.shape[1]), np.zeros(steps.shape[1])
    found = []
    for row in steps:
        level = np.maximum(level + row, 0.0)
        peak = np.maximum(peak, level)
        ended = (level == 0.0) & (peak > 0.0)
        found.append(peak[ended])
        peak[ended] = 0.0
    return np.concatenate([*found, peak[peak > 0.0]])


def _threshold(peaks: Floats, values: float, between: float) -> float:
    """The height that cycles reach once in `between` values; `values` is how many made these peaks."""
    tail = np.sort(peaks)[-max(len(peaks) // 20, min(len(peaks), 50)) :]
    if len(tail) < 2:
        return float("inf")
    start = float(tail[0])
    slope = max(float(tail.mean()) - start, 1e-9)
    return start + slope * max(float(np.log(len(tail) / values * between)), 0.0)


@dataclass(slots=True)
class CoverageAlarm:
    """Bets, one truth after the other, that intervals miss more often than they promised.

    The wealth of a bet that misses happen with a rate of 0.15 to 0.6 instead of `missing` (the mean of several such
    bets) grows when they do. It starts anew at 1 whenever it falls below: then, while intervals keep their word, an
    alarm at `threshold` comes once in `threshold` truths or later, on average, whatever the data.

    >>> alarm = CoverageAlarm(0.1)
    >>> any(alarm.update(miss) for miss in [False] * 200), alarm.update_all([True] * 12)
    (False, True)
    """

    missing: float
    threshold: float = 1_000.0
    wealth: Floats | None = None

    def update(self, miss: bool) -> bool:
        """The next truth, outside its interval or not: whether the alarm is raised."""
        rates = _rates(self.missing)
        bet = rates / self.missing if miss else (1.0 - rates) / (1.0 - self.missing)
        wealth = self.wealth if self.wealth is not None else np.full(len(rates), 1.0 / len(rates))
        wealth = (wealth if wealth.sum() > 1.0 else np.full(len(rates), 1.0 / len(rates))) * bet
        self.wealth = wealth
        return bool(wealth.sum() >= self.threshold)

    def update_all(self, misses: Any) -> bool:
        """Truths in the order in which they came, up to the first that raises the alarm: whether one does."""
        return any(self.update(bool(miss)) for miss in misses)


def _rates(missing: float) -> Floats:
    """Miss rates to bet on, all above the promised one."""
    return np.minimum(missing * np.array([1.5, 2.0, 2.5, 4.0, 6.0]), 0.95)
