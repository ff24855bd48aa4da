"""From a table to a feature specification: decided once, fitted anew on the rows of every fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.data import Data
from shopfloor.models.learn.indices import health_alone, health_beside, with_health
from shopfloor.models.learn.interactions import joined
from shopfloor.models.learn.roles import Roles
from shopfloor.models.learn.split import lives_alone
from shopfloor.models.spec import FeatureSpec, features
from shopfloor.models.spec.memory import Floats, Matrix
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

_SEPARATE: Final = 0.85
_MOST_REGIMES: Final = 8
_SAMPLE: Final = 2000
_LEAST_IN_REGIME: Final = 20
_ORIGIN: Final = ("drift", "mean")
"""What is measured from the first row of an asset or run."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a specification is to contain: regimes found in the settings, mixes (or those `alone`), pairs, age, lags.

    With `views`, several sets of columns, for a mean of models: health indices, and the rise of inputs beside them.
    `pairing_s`: CPU seconds that one search for pairs may take.
    """

    settings: tuple[str, ...] = ()
    regimes: int = 1
    remember: bool = False
    mixes: bool = False
    alone: bool = False
    views: bool = False
    pairs: bool = False
    age: bool = False
    lags: int = 0
    origin: bool = True
    pairing_s: float = np.inf

    @property
    def words(self) -> str:
        """What it adds, for people."""
        parts = [
            "memory" if self.remember else "",
            "health indices beside inputs" if self.views else "",
            "health indices alone" if self.alone else "health index" if self.mixes else "",
            "interactions" if self.pairs else "",
            f"{self.regimes} regimes" if self.regimes > 1 else "",
        ]
        return " + ".join(part for part in parts if part) or "values as they are"

    def fit(self, data: Data, rows: NDArray[Any]) -> FeatureSpec:
        """The specification that these rows teach."""
        seen = data.take(rows)
        centres, scale = self._regimes(seen)
        texts = {name for name, _ in data.levels}
        remembered = tuple(n for n in data.inputs if self.remember and n not in texts and n not in self.settings)
        spec = FeatureSpec(
            data.inputs, **_scaling(seen, texts, centres, scale, self.settings), levels=data.levels,
            settings=self.settings, regimes=centres, regime_scale=scale, remembered=remembered, step=data.step,
            age=self.age, lags=self.lags,
        )  # fmt: skip
        if not self.origin:
            spec = replace(spec, told=tuple(what for what in spec.told if what not in _ORIGIN))
        if self.pairs:
            spec = replace(spec, pairs=joined(seen, self.pairing_s))
        if self.views:
            return health_beside(spec, seen)
        if self.alone:
            return health_alone(spec, seen)
        return with_health(spec, seen) if self.mixes else spec

    def _regimes(self, seen: Data) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
        if self.regimes < 2:
            return (), ()
        values, scale = _settings(seen, self.settings)
        found = KMeans(self.regimes, n_init=5, random_state=0).fit(values / scale)
        centres = found.cluster_centers_ * scale
        return tuple(tuple(map(float, row)) for row in np.unique(centres, axis=0)), tuple(map(float, scale))


def features_of(spec: FeatureSpec, data: Data) -> Matrix:
    """Features [n, f] of all rows of the data."""
    return features(spec, data.values, data.time, data.unit)


def count_regimes(data: Data, settings: tuple[str, ...]) -> int:
    """How many clusters the settings form, 1 when they form none that are clearly apart."""
    if not settings:
        return 1
    values, scale = _settings(data, settings)
    sample = values[np.linspace(0, len(values) - 1, min(_SAMPLE, len(values))).astype(int)] / scale
    most = min(_MOST_REGIMES, len(np.unique(sample, axis=0)) - 1)
    scores = {1: _SEPARATE}
    for k in range(2, most + 1):
        cluster = KMeans(k, n_init=3, random_state=0).fit_predict(sample)
        if np.bincount(cluster).min() >= _LEAST_IN_REGIME:
            scores[k] = float(silhouette_score(sample, cluster))
    return max(scores, key=lambda k: scores[k])


def _settings(data: Data, settings: tuple[str, ...]) -> tuple[Floats, Floats]:
    values = data.values[:, [data.inputs.index(name) for name in settings]]
    values = values[np.isfinite(values).all(axis=1)]
    return values, np.maximum(values.std(axis=0), 1e-9)


def _scaling(
    seen: Data, texts: set[str], centres: tuple[Any, ...], scale: tuple[float, ...], settings: tuple[str, ...]
) -> dict[str, Any]:
    """Centre and scale of each input within each regime; texts and settings keep their values."""
    regime = np.zeros(len(seen), np.int64)
    if len(centres) > 1:
        values = seen.values[:, [seen.inputs.index(name) for name in settings]]
        away = (values[:, None, :] - np.array(centres)) / np.array(scale)
        regime = np.nan_to_num(away * away).sum(axis=2).argmin(axis=1)
    centre, spread = [], []
    for r in range(max(len(centres), 1)):
        rows = seen.values[regime == r]
        rows = rows if len(rows) >= _LEAST_IN_REGIME else seen.values
        middle, width = _moments(rows)
        keep = np.array([name in texts for name in seen.inputs])
        centre.append(tuple(np.where(keep, 0.0, middle).tolist()))
        spread.append(tuple(np.where(keep, 1.0, width).tolist()))
    return {"centre": tuple(centre), "scale": tuple(spread)}


def _moments(values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the known values of each column; 0 and 1 where there is nothing to measure."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    away = np.where(known, values - mean, 0.0)
    spread = np.sqrt((away * away).sum(axis=0) / count)
    return mean, np.where(spread > 1e-12 * np.maximum(np.abs(mean), 1.0), spread, 1.0)


def blueprints(data: Data, roles: Roles, pairing_s: float = np.inf) -> list[Blueprint]:
    """What is worth trying: interactions for independent rows, health indices where rows follow each other.

    Where a class was seen in one run only, how far a row is from the run's begin tells which run it is, not what is
    wrong, and no fold can show it: nothing is measured from the begin then, and age is no input.
    """
    settings = tuple(name for name in roles.settings if name in data.inputs)
    regimes = count_regimes(data, settings)
    base = Blueprint(settings, regimes, remember=data.remembers, age=roles.age and data.remembers)
    base = replace(base, age=False, origin=False) if lives_alone(data) else base
    richer = replace(base, mixes=True) if base.remember else replace(base, pairs=True, pairing_s=pairing_s)
    numbers = len([name for name in data.inputs if name not in settings]) - len(data.levels)
    indices = base.remember and data.task != "class"
    alone = [replace(base, views=True), replace(base, alone=True)] if indices else []
    return [*alone, richer, base] if numbers > 1 else [base]
