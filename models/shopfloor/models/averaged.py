"""The mean of several boosted models as one forest: their trees side by side, each leaf in the weight of its model.

The forest answers as the mean does because a boosted model is a sum of leaves. A model may look at some columns only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import treelite
import treelite.sklearn
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor
from sklearn.pipeline import Pipeline

Ints = NDArray[np.int64]


def merged(mean: VotingRegressor) -> treelite.Model:
    """One forest of a fitted `VotingRegressor`; raises `ValueError` with what cannot be merged.

    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> each = [(str(seed), HistGradientBoostingRegressor(max_iter=3, random_state=seed)) for seed in (0, 1)]
    >>> merged(VotingRegressor(each).fit(x, x[:, 0])).num_tree
    6
    """
    width = mean.n_features_in_
    members = [_member(one, width) for one in mean.estimators_]
    shares = _shares(mean)
    forests = [
        _weighted(boosted, columns, share, width) for (boosted, columns), share in zip(members, shares, strict=True)
    ]
    bases = [forest.get_header_accessor().get_field("base_scores")[0] for forest in forests]
    for forest in forests:
        forest.get_header_accessor().set_field("base_scores", np.array([shares @ bases]))
    return treelite.Model.concatenate(forests)


def _shares(mean: VotingRegressor) -> NDArray[np.float64]:
    """The weight of each model that was not dropped; 1 in all."""
    weights = mean.weights or [1.0] * len(mean.estimators)
    kept = np.array([w for (_, one), w in zip(mean.estimators, weights, strict=True) if one != "drop"], np.float64)
    shares: NDArray[np.float64] = kept / kept.sum()
    return shares


def _member(one: Any, features: int) -> tuple[HistGradientBoostingRegressor, Ints]:
    """A boosted model, and the column that each of its own is."""
    columns = np.arange(features)
    steps = [step for _, step in one.steps] if isinstance(one, Pipeline) else [one]
    if len(steps) == 2 and type(steps[0]) is ColumnTransformer:
        columns, steps = _chosen(steps[0]), steps[1:]
    if len(steps) != 1 or type(steps[0]) is not HistGradientBoostingRegressor:
        names = " and ".join(type(step).__name__ for step in steps)
        raise ValueError(f"it holds {names}: expected HistGradientBoostingRegressor, alone or behind chosen columns")
    return steps[0], columns


def _chosen(choice: ColumnTransformer) -> Ints:
    """The columns that are passed through, as they are and in this order."""
    what, places = choice.transformers[0][1:]
    alone = len(choice.transformers) == 1 and choice.remainder == "drop" and what == "passthrough"
    if not (alone and isinstance(places, list) and all(type(place) is int for place in places)):
        raise ValueError("its ColumnTransformer does more than pass one list of column numbers through")
    return np.arange(choice.n_features_in_)[places]


def _weighted(boosted: HistGradientBoostingRegressor, columns: Ints, share: float, width: int) -> treelite.Model:
    """Its trees over all columns of the mean, their leaves in its share; the base score is left as it is."""
    forest = treelite.sklearn.import_model(boosted)
    forest.get_header_accessor().set_field("num_feature", np.array([width], np.int32))
    for number in range(forest.num_tree):
        tree = forest.get_tree_accessor(number)
        split = tree.get_field("split_index")
        tree.set_field("split_index", np.where(split < 0, split, columns[split]).astype(split.dtype))
        tree.set_field("leaf_value", tree.get_field("leaf_value") * share)
    return forest
