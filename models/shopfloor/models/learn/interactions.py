"""Products, differences and ratios of inputs that say more than the two inputs do side by side."""

from __future__ import annotations

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
_SCREENED: Final = 10
_MOST_PAIRS: Final = 5
_SURE: Final = 3.0
"""A pair must lower the loss of unseen rows by this many standard errors: tens of pairs are compared."""


def joined(data: Data) -> tuple[Pair, ...]:
    """The pairs that let a small boosted model predict unseen rows better than it does without them, one after another.

    Judged on the given rows only, half of them unseen in turn: inside a fold they are the rows to learn from. Small
    trees on two inputs and their join say which pairs are worth the trial.
    """
    rows = np.random.default_rng(0).permutation(len(data))[:_MOST_ROWS]
    values, target = data.values[rows], data.target[rows]
    live = _screened(data, values, target)
    found: list[Pair] = []
    losses = _losses(_boosted(data), values, target)
    while live and len(found) < _MOST_PAIRS:
        best, sure, after = _best(live, _boosted(data), values, target, losses)
        if sure < _SURE:
            break
        kind, a, b, together = live.pop(best)
        found.append((kind, data.inputs[a], data.inputs[b], *_moments(together)))
        values, losses = np.column_stack([values, together]), after
    return tuple(found)


def _best(
    live: list[Join], model: Any, values: Floats, target: NDArray[Any], losses: Floats
) -> tuple[int, float, Floats]:
    """Which join lowers the loss most, by how many standard errors, and the losses [n] with it."""
    gains, sures, after = [], [], []
    for *_, together in live:
        after.append(_losses(model, np.column_stack([values, together]), target))
        gain = losses - after[-1]
        gains.append(float(gain.mean()))
        sures.append(float(gain.mean() / max(gain.std() / np.sqrt(len(gain)), 1e-12)))
    best = int(np.argmax(gains))
    return best, sures[best], after[best]


def _screened(data: Data, values: Floats, target: NDArray[Any]) -> list[Join]:
    """The joins that help a small tree most beside their two inputs."""
    found: list[tuple[float, Join]] = []
    tree = _tree(data)
    for a, b in combinations(_promising(data, values, target), 2):
        both = float(_losses(tree, values[:, [a, b]], target).mean())
        for kind in PAIRS:
            together = joined_pair(kind, values[:, a], values[:, b])
            beside = np.column_stack([values[:, [a, b]], together])
            found.append((both - float(_losses(tree, beside, target).mean()), (kind, a, b, together)))
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
