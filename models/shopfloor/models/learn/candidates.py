"""A few strong models, from plain to rich. All take missing values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shopfloor.models.learn.data import Data
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

SEED: Final = 0
_FEW_INPUTS: Final = 12
_SECONDS: Final = 1.5e-8
"""CPU seconds of one split test (rows x features x trees) of gradient boosting, roughly, on any machine of today."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try: its name, how a fresh one is made, and its split tests per row and feature, roughly.

    `mean`: worth averaging over several views of the features; the mean still compiles into one forest.
    `joins`: whether a bundle can hold its mean with a model of another kind.
    """

    name: str
    make: Callable[[], Any]
    tests: float = 0.0
    mean: bool = False
    joins: bool = False

    @property
    def kind(self) -> str:
        """The kind of model, without how it is set."""
        return self.name.split(",", maxsplit=1)[0]

    def over(self, views: Sequence[Sequence[int]]) -> Any:
        """A fresh model; where there are views, the mean of one for each of these sets of columns."""
        if not views:
            return self.make()
        each = [make_pipeline(ColumnTransformer([("view", "passthrough", list(view))]), self.make()) for view in views]
        return VotingRegressor([(f"view {number}", one) for number, one in enumerate(each, 1)])

    def seconds(self, rows: int, columns: int) -> float:
        """Roughly how long it learns, in CPU seconds."""
        return self.tests * rows * columns * _SECONDS


def candidates(data: Data) -> list[Candidate]:
    """What is worth trying for a task, plain ones first."""
    return _classifiers(data) if data.task == "class" else _regressors(data)


def _regressors(data: Data) -> list[Candidate]:
    leaf = max(5, min(50, len(data) // 50))

    def boosted() -> Any:
        return HistGradientBoostingRegressor(
            max_iter=300, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=leaf, max_features=0.3,
            early_stopping=False, random_state=SEED,
        )  # fmt: skip

    def slower() -> Any:
        return HistGradientBoostingRegressor(
            max_iter=1000, learning_rate=0.02, max_leaf_nodes=15, min_samples_leaf=max(5, min(150, len(data) // 50)),
            max_features=0.3, early_stopping=False, random_state=SEED,
        )  # fmt: skip

    def deeper() -> Any:
        return HistGradientBoostingRegressor(
            max_iter=200, learning_rate=0.08, min_samples_leaf=leaf, l2_regularization=1.0, max_features=0.5,
            early_stopping=False, random_state=SEED,
        )  # fmt: skip

    def trees() -> Any:
        return ExtraTreesRegressor(100, min_samples_leaf=5, max_features=0.4, random_state=SEED)

    return [
        Candidate("ridge", lambda: make_pipeline(SimpleImputer(), StandardScaler(), Ridge(10.0)), 1.0),
        Candidate("spline ridge", lambda: _splines(Ridge(30.0)), 10.0),
        Candidate("gradient boosting", boosted, 300 * 0.3, mean=True),
        Candidate("gradient boosting, deeper", deeper, 200 * 0.5),
        Candidate("gradient boosting, slower", slower, 1000 * 0.3),
        Candidate("extra trees", trees, 100 * 2.0),
    ]


def _classifiers(data: Data) -> list[Candidate]:
    trees_each = 1 if len(data.classes) == 2 else len(data.classes)
    leaf = max(3, min(20, len(data) // 100))

    def logistic() -> Any:
        return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=500))

    def boosted() -> Any:
        return HistGradientBoostingClassifier(
            max_iter=300,
            learning_rate=0.05,
            max_leaf_nodes=15,
            min_samples_leaf=5,
            l2_regularization=5.0,
            early_stopping=False,
            random_state=SEED,
        )

    def sparing() -> Any:
        return HistGradientBoostingClassifier(
            max_iter=200,
            learning_rate=0.06,
            max_leaf_nodes=15,
            min_samples_leaf=leaf,
            max_features=0.3,
            early_stopping=False,
            random_state=SEED,
        )

    few = len(data.inputs) <= _FEW_INPUTS
    share = 1.0 if few else "sqrt"

    def trees() -> Any:
        return ExtraTreesClassifier(200, min_samples_leaf=1, max_features=share, random_state=SEED)

    def forest() -> Any:
        return RandomForestClassifier(100, min_samples_leaf=2, max_features=share, random_state=SEED)

    return [
        Candidate("logistic regression", logistic, 10.0 * trees_each),
        Candidate("extra trees", trees, 100.0 if few else 20.0, joins=True),
        Candidate("random forest", forest, 200.0 if few else 50.0, joins=True),
        Candidate("gradient boosting, fewer inputs a split", sparing, 200 * 0.3 * trees_each, joins=True),
        Candidate("gradient boosting", boosted, 300.0 * trees_each, joins=True),
    ]


def _splines(last: Any) -> Any:
    bent = SplineTransformer(n_knots=4, degree=2, knots="quantile", extrapolation="linear")
    return make_pipeline(SimpleImputer(), StandardScaler(), bent, last)
