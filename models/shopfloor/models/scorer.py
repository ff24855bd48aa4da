"""Ask a bundle: value with interval for many assets at once, and the pull that reasons are measured in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.conformal import Floats, probabilities_of, residuals_of
from shopfloor.models.features import Matrix
from shopfloor.models.sealing.opened import Bundle
from shopfloor.plant.errors import ShopfloorError

_FARTHEST: Final = 12.0
"""A single deviation counts at most this many robust standard deviations."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Columns [n]: value and the ends of its interval."""

    value: Floats
    low: Floats
    high: Floats


def score(bundle: Bundle, x: Matrix) -> Scores:
    """Value, low and high of each row of features [n, f]."""
    settings, coverage = bundle.manifest.settings, bundle.manifest.coverage
    match bundle.manifest.kind:
        case "regression":
            value, spread = centre_and_spread(bundle, x)
            low, high = residuals_of(bundle.arrays).interval(value, spread, coverage)
            floor = settings.get("floor", -np.inf)
            return Scores(np.maximum(value, floor), np.maximum(low, floor), np.maximum(high, floor))
        case "distance":
            value = distance(bundle.arrays, x) / settings["threshold"]
            return Scores(value, np.maximum(value - settings["wobble"], 0.0), value + settings["wobble"])
        case "novelty":
            value = raw(bundle, x)
            return Scores(value, value, value)
        case "classes":
            raise ShopfloorError(f"The model {bundle.manifest.name} tells classes apart: ask `likely`, not `score`.")
        case _:
            return Scores(*probabilities_of(bundle.arrays).of_score(raw(bundle, x)))


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Of each row: the score of every class [n, c], and which classes it may belong to [n, c], at the coverage."""

    score: Floats
    likely: NDArray[np.bool_]


def likely(bundle: Bundle, x: Matrix) -> Classes:
    """The classes of each row of features [n, f]: as many as are needed for the promised coverage; the best always."""
    said = bundle.outputs("value", x)
    best = said == said.max(axis=1, keepdims=True)
    return Classes(said, best | (said >= bundle.manifest.settings["level"]))


def numbers(bundle: Bundle, x: Matrix) -> Scores:
    """As `score`, and of a model that tells classes apart the place of the best one, without an interval."""
    if bundle.manifest.kind != "classes":
        return score(bundle, x)
    best = likely(bundle, x).score.argmax(axis=1).astype(np.float64)
    nothing = np.full(len(x), np.nan)
    return Scores(best, nothing, nothing)


def judged(bundle: Bundle, x: Matrix) -> Floats:
    """Everything that a bundle of any kind says of rows [n, f], as columns: what golden scores are compared by."""
    if bundle.manifest.kind == "classes":
        found = likely(bundle, x)
        return np.hstack([found.score, found.likely])
    said = score(bundle, x)
    return np.column_stack([said.value, said.low, said.high])


def raw(bundle: Bundle, x: Matrix) -> Floats:
    """What the model says before calibration: smooth enough to compare one row with another."""
    match bundle.manifest.kind:
        case "regression":
            return bundle.predict("value", x)
        case "exceedance":
            value, spread = centre_and_spread(bundle, x)
            return residuals_of(bundle.arrays).beyond(value, spread, bundle.manifest.settings["limit"])
        case "distance":
            return distance(bundle.arrays, x) / bundle.manifest.settings["threshold"]
        case "novelty":
            return bundle.predict("value", x) / bundle.manifest.settings["threshold"]
        case _:
            return bundle.predict("value", x)


def pull(bundle: Bundle, x: Matrix) -> Floats:
    """What reasons are measured in: it moves even where a probability is flat."""
    if bundle.manifest.kind != "exceedance":
        return raw(bundle, x)
    value, spread = centre_and_spread(bundle, x)
    return (np.abs(value) - bundle.manifest.settings["limit"]) / spread


def centre_and_spread(bundle: Bundle, x: Matrix) -> tuple[Floats, Floats]:
    """The value and how uncertain rows like this were: [n], [n]."""
    value = bundle.predict("value", x)
    if "spread" not in bundle.programs:
        return value, np.ones(len(x))
    spread = bundle.predict("spread", x)
    return value, np.maximum(spread, bundle.manifest.settings["least_spread"])


def distance(arrays: Mapping[str, NDArray[Any]], x: Matrix) -> Floats:
    """How far each row lies from normal, in robust standard deviations, correlations taken out: [n]."""
    away = (x.astype(np.float64)[:, arrays["columns"]] - arrays["centre"]) / arrays["scale"]
    away = np.clip(np.nan_to_num(away, nan=0.0), -_FARTHEST, _FARTHEST)
    turned = np.einsum("ni,io->no", np.ascontiguousarray(away), arrays["turn"])  # each row for itself, to the bit
    return np.sqrt(np.mean(turned * turned, axis=1))  # type: ignore[no-any-return]
