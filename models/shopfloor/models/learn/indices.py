"""Health indices: a few weighted sums of inputs that tell how far an asset has come, instead of many noisy inputs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from shopfloor.models.learn.data import Data
from shopfloor.models.spec import FeatureSpec, features
from shopfloor.models.spec.memory import Floats
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

_MOST_CLASSES: Final = 20
_COMPONENTS: Final = 2
_BASELINE: Final = 20
_CAPPED: Final = 0.05
"""From this share of rows at the largest target on, the target is capped; the other rows teach one more index."""

Mixes = tuple[tuple[str, tuple[float, ...]], ...]


def with_health(spec: FeatureSpec, seen: Data) -> FeatureSpec:
    """Beside the inputs, the weighted sum of the remembered ones that follows the target best; one for each class.

    Source: the linear fusion of sensors into a health index in Wang et al., "A similarity-based prognostics approach
    for remaining useful life estimation of engineered systems" (2008).
    """
    weights = np.atleast_2d(_follows(_scaled(spec, seen), _wanted(seen)))
    names = [f"health index {i + 1}" if len(weights) > 1 else "health index" for i in range(len(weights))]
    mixes = _mixes(spec, seen, names, weights)
    return replace(spec, mixes=mixes, remembered=(*spec.remembered, *(name for name, _ in mixes)))


def health_alone(spec: FeatureSpec, seen: Data) -> FeatureSpec:
    """Instead of the inputs: indices that follow the target, over all rows and below its cap, and what varies most.

    Texts stay. Two directions of variation tell two ways of wearing apart.
    """
    scaled = _scaled(spec, seen)
    weights = [_follows(scaled, seen.target)]
    names = ["health index"]
    below = seen.target < seen.target.max()
    if below.mean() < 1.0 - _CAPPED and below.sum() > 2 * scaled.shape[1]:
        weights.append(_follows(scaled[below], seen.target[below]))
        names.append("health index below the cap")
    components = PCA(min(_COMPONENTS, scaled.shape[1]), svd_solver="full").fit(scaled).components_
    names += [f"variation {i + 1}" for i in range(len(components))]
    mixes = _mixes(spec, seen, names, np.vstack([*weights, *components]))
    texts = {name for name, _ in spec.levels}
    return replace(
        spec,
        mixes=mixes,
        remembered=tuple(name for name, _ in mixes),
        told=("middle", "trend", "rise", "drift"),
        baseline=_BASELINE,
        unseen=tuple(name for name in spec.inputs if name not in texts),
    )


def health_beside(spec: FeatureSpec, seen: Data) -> FeatureSpec:
    """The same indices, and the memory of the inputs beside them, for models that look at one or at both."""
    alone = health_alone(spec, seen)
    unseen = tuple(name for name in alone.unseen if name not in spec.remembered)
    return replace(alone, remembered=(*alone.remembered, *spec.remembered), unseen=unseen)


def views(spec: FeatureSpec) -> tuple[tuple[int, ...], ...]:
    """The columns of each model of a mean: the indices alone; with the rise of all inputs, and of every second one.

    Inputs are noisy, their levels add little to the indices; models that see other inputs err in other places.
    """
    inputs = {name for name in spec.remembered if name in spec.inputs}
    told = list(enumerate(zip(spec.names, spec.sources, strict=True)))
    alone = tuple(i for i, (_, source) in told if source not in inputs)
    rise = tuple(i for i, (name, source) in told if source in inputs and name == f"{source} rise")
    return alone, *((*alone, *some) for some in (rise, rise[::2], rise[1::2]) if some)


def _follows(scaled: Floats, wanted: Floats) -> Floats:
    return np.asarray(Ridge(alpha=1.0).fit(scaled, wanted).coef_)


def _scaled(spec: FeatureSpec, seen: Data) -> Floats:
    """The remembered inputs [n, k] in the scale of their regime; what is missing counts as usual."""
    plain = replace(spec, remembered=(), pairs=(), age=False, mixes=(), lags=0)
    where = [spec.inputs.index(name) for name in spec.remembered]
    return np.nan_to_num(features(plain, seen.values)[:, where].astype(np.float64))


def _mixes(spec: FeatureSpec, seen: Data, names: list[str], weights: Any) -> Mixes:
    """Each sum has a standard deviation of 1 over the rows."""
    scaled = _scaled(spec, seen)
    where = [spec.inputs.index(name) for name in spec.remembered]
    found = []
    for name, one in zip(names, weights, strict=True):
        full = np.zeros(len(spec.inputs))
        full[where] = one / (float(np.std(scaled @ one)) or 1.0)
        found.append((name, tuple(full.tolist())))
    return tuple(found)


def _wanted(seen: Data) -> Floats:
    """The target as numbers to follow: itself, or one column for each class (one for two of them)."""
    if seen.task != "class":
        target: Floats = seen.target
        return target
    classes = np.arange(1, len(seen.classes))[:_MOST_CLASSES]
    wanted: Floats = (seen.target[:, None] == classes).astype(np.float64)
    return wanted if wanted.shape[1] > 1 else wanted[:, 0]
