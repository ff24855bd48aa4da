"""Products, differences and ratios of inputs that say more than the two inputs do side by side."""

from __future__ import annotations

import time
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.data import Data
from shopfloor.models.spec.featurespec import PAIRS
from shopfloor.models.spec.memory import Floats, joined_pair
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

Pair = tuple[str, str, str, float, float]
Join = tuple[str, int, int, Floats]

_MOST_INPUTS: Final = 12
_MOST_ROWS: Final = 10_000
_ALL: Final = 30
_SCREENED: Final = 10
_LIVE: Final = 8
_MOST_PAIRS: Final = 5
_SURE: Final = 2.5
"""A pair must lower the loss of unseen rows by this many standard errors: tens of pairs are compared."""
_WORTH: Final = 0.02
"""… and by this share of it."""


def joined(data: Data, most_s: float = np.inf) -> tuple[Pair, ...]:
    """The pairs that let a small boosted model predict unseen rows better than it does without them, one after another.

    Judged on the given rows only, half of them unseen in turn: inside a fold they are the rows to learn from. The first
    round tries every join (where there are very many: those that help a small tree most), later ones those that helped.
    No round begins that would not end within `most_s` CPU seconds, by what a join took before.
    """
    begun, tried = time.process_time(), 1
    rows = np.random.default_rng(0).permutation(len(data))[:_MOST_ROWS]
    values, target = data.values[rows], data.target[rows]
    live = _screened(data, values, target)
    found: list[Pair] = []
    losses = _losses(_boosted(data), values, target)
    while live and len(found) < _MOST_PAIRS:
        spent = time.process_time() - begun
        if spent * (1.0 + len(live) / tried) > most_s:
            break
        tried += len(live)
        after = [_losses(_boosted(data), np.column_stack([values, join[3]]), target) for join in live]
        order = sorted(range(len(live)), key=lambda i: float(after[i].mean()))
        if not _worth(losses - after[order[0]], losses):
            break
        kind, a, b, together = live[order[0]]
        found.append((kind, data.inputs[a], data.inputs[b], *_moments(together)))
        values, losses = np.column_stack([values, together]), after[order[0]]
        live = [live[i] for i in order[1 : _LIVE + 1]]
    return tuple(found)


def _worth(gain: Floats, losses: Floats) -> bool:
    """Whether rows lose less by a gain [n] that is neither chance nor trifling."""
    error = float(gain.std() / np.sqrt(len(gain)))
    return float(gain.mean()) > max(_SURE * error, _WORTH * float(losses.mean()))


def _screened(data: Data, values: Floats, target: NDArray[Any]) -> list[Join]:
    """The joins to try: all of them, or those that help a small tree most beside their two inputs."""
    joins = [
        (kind, a, b, joined_pair(kind, values[:, a], values[:, b]))
        for a, b in combinations(_promising(data, values, target), 2)
        for kind in PAIRS
    ]
    if len(joins) <= _ALL:
        return joins
    found: list[tuple[float, Join]] = []
    tree = _tree(data)
    both: dict[tuple[int, int], float] = {}
    for kind, a, b, together in joins:
        if (a, b) not in both:
            both[a, b] = float(_losses(tree, values[:, [a, b]], target).mean())
        beside = np.column_stack([values[:, [a, b]], together])
        found.append((both[a, b] - float(_losses(tree, beside, target).mean()), (kind, a, b, together)))
    found.sort(key=lambda one: -one[0])
    return [join for gain, join in found[:_SCREENED] if gain > 0.0]


def _promising(data: Data, values: Floats, target: NDArray[Any]) -> list[int]:
    """The numeric inputs that say most by themselves."""
    texts = {name for name, _ in data.levels}
    numbers = [i for i, name in enumerate(data.inputs) if name not in texts]
    if len(numbers) <= _MOST_INPUTS:
        return numbers
    alone = {i: float(_losses(_tree(data), values[:, [i]], target).mean()) for i in numbers}
    return sorted(sorted(numbers, key=lambda i: alone[i])[:_MOST_INPUTS])


def _moments(together: Floats) -> tuple[float, float]:
    known = together[np.isfinite(together)]
    return (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)


def _tree(data: Data) -> Any:
    options: dict[str, Any] = {"max_depth": 3, "min_samples_leaf": max(5, len(data) // 1000), "random_state": 0}
    if data.task == "class":
        return DecisionTreeClassifier(criterion="entropy", **options)
    return DecisionTreeRegressor(**options)


def _boosted(data: Data) -> Any:
    kind = HistGradientBoostingClassifier if data.task == "class" else HistGradientBoostingRegressor
    return kind(
        max_iter=max(10, 40 // max(len(data.classes) - 1, 1)), learning_rate=0.15, max_leaf_nodes=12,
        min_samples_leaf=5, l2_regularization=5.0, early_stopping=False, random_state=0,
    )  # fmt: skip


def _losses(model: Any, x: Floats, target: NDArray[Any]) -> Floats:
    """Log loss, or squared error in variances, of each row [n] by a model that learned from the other half."""
    x, half, out = np.asarray(x, np.float32), len(x) // 2, np.empty(len(x))
    for seen, unseen in ((slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))):
        model.fit(x[seen], target[seen])
        truth = target[unseen]
        if not hasattr(model, "classes_"):
            out[unseen] = (model.predict(x[unseen]) - truth) ** 2 / (np.var(target) or 1.0)
            continue
        column = np.searchsorted(model.classes_, truth).clip(0, len(model.classes_) - 1)
        share = model.predict_proba(x[unseen])[np.arange(len(truth)), column]
        out[unseen] = -np.log(np.clip(np.where(model.classes_[column] == truth, share, 0.0), 1e-4, 1.0))
    return out
