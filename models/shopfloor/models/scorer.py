"""Ask a bundle: value with interval for many assets at once, and what each group of features contributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bundle import Bundle
from shopfloor.models.conformal import Floats, probabilities_of, residuals_of
from shopfloor.models.features import Matrix

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
        case _:
            return Scores(*probabilities_of(bundle.arrays).of_score(raw(bundle, x)))


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
        case _:
            return bundle.predict("value", x)


def _pull(bundle: Bundle, x: Matrix) -> Floats:
    """What reasons are measured in: it moves even where a probability is flat."""
    if bundle.manifest.kind != "exceedance":
        return raw(bundle, x)
    value, spread = centre_and_spread(bundle, x)
    return (np.abs(value) - bundle.manifest.settings["limit"]) / spread


def centre_and_spread(bundle: Bundle, x: Matrix) -> tuple[Floats, Floats]:
    """The value and how uncertain rows like this were: [n], [n]."""
    spread = bundle.predict("spread", x)
    return bundle.predict("value", x), np.maximum(spread, bundle.manifest.settings["least_spread"])


def distance(arrays: Mapping[str, NDArray[Any]], x: Matrix) -> Floats:
    """How far each row lies from normal, in robust standard deviations, correlations taken out: [n]."""
    away = (x.astype(np.float64)[:, arrays["columns"]] - arrays["centre"]) / arrays["scale"]
    away = np.clip(np.nan_to_num(away, nan=0.0), -_FARTHEST, _FARTHEST)
    turned = away @ arrays["turn"]
    return np.sqrt(np.mean(turned * turned, axis=1))  # type: ignore[no-any-return]


def contributions(bundle: Bundle, x: Matrix, typical: Matrix, groups: Sequence[Sequence[int]]) -> Floats:
    """What each group of features adds to the value, [n, groups]: the value less what it were with typical features.

    `typical` is [n, f]. One call of the model for all rows and groups.
    """
    variants = np.repeat(x[None], len(groups) + 1, axis=0)
    for variant, columns in zip(variants[1:], groups, strict=True):
        variant[:, list(columns)] = typical[:, list(columns)]
    said = _pull(bundle, variants.reshape(-1, x.shape[1])).reshape(len(groups) + 1, len(x))
    moved: Floats = (said[0] - said[1:]).T
    return moved
