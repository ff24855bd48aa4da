"""Turn a fitted scikit-learn estimator into the plain steps of a bundle: scaling, dense layers, trees.

Only estimators that are listed here are accepted; what they do was read in their `predict`, and every compiled model is
compared with its estimator before it is sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import factorial
from typing import Any, Final

import numpy as np
import treelite
import treelite.sklearn
from numpy.typing import NDArray
from shopfloor.models.averaged import merged
from shopfloor.plant.errors import ShopfloorError
from sklearn import covariance, linear_model, neural_network, preprocessing, svm
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

_CASTING: Final = (
    RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor, IsolationForest,
    GradientBoostingClassifier, GradientBoostingRegressor,
)  # fmt: skip
_TREES: Final = (*_CASTING, HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_LINEAR: Final = (
    linear_model.LinearRegression, linear_model.Ridge, linear_model.RidgeCV, linear_model.Lasso, linear_model.LassoCV,
    linear_model.ElasticNet, linear_model.ElasticNetCV, linear_model.BayesianRidge, linear_model.HuberRegressor,
    svm.LinearSVR,
)  # fmt: skip
_DECISIONS: Final = (svm.LinearSVC, linear_model.RidgeClassifier, linear_model.RidgeClassifierCV)
_MLP: Final = (neural_network.MLPRegressor, neural_network.MLPClassifier)
_COVARIANCE: Final = (
    covariance.EmpiricalCovariance, covariance.ShrunkCovariance, covariance.LedoitWolf, covariance.OAS,
    covariance.MinCovDet, covariance.EllipticEnvelope,
)  # fmt: skip
_LOGISTIC: Final = (linear_model.LogisticRegression, linear_model.LogisticRegressionCV)
ACCEPTED: Final = (
    *_TREES, VotingClassifier, VotingRegressor, *_LINEAR, *_DECISIONS, *_LOGISTIC, *_MLP, *_COVARIANCE,
)  # fmt: skip


class CannotCompile(ShopfloorError):  # noqa: N818 (what happened)
    """An estimator that has no form as trees or plain arrays, or that does not answer the same in it."""


@dataclass(slots=True)
class Unfolded:
    """The steps of a model, the arrays of each (`0.by`), its forests."""

    names: list[str] = field(default_factory=list)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    forests: list[treelite.Model] = field(default_factory=list)

    def add(self, name: str, **parts: Any) -> None:
        """Append a step."""
        for part, values in parts.items():
            wanted = np.int64 if part in ("columns", "powers") else np.float64
            self.arrays[f"{len(self.names)}.{part}"] = np.ascontiguousarray(values, dtype=wanted)
        self.names.append(name)


def unfold(estimator: Any) -> Unfolded:
    """The steps of a fitted estimator or pipeline; raises `CannotCompile`.

    >>> x, y = np.arange(8.0).reshape(4, 2), np.arange(4.0)
    >>> from sklearn.pipeline import make_pipeline
    >>> unfold(make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge()).fit(x, y)).names
    ['subtract', 'divide', 'dense']
    """
    to = Unfolded()
    *before, last = parts(estimator)
    for step in before:
        _transform(step, to)
    if type(last) in (*_TREES, VotingRegressor):
        _trees(last, to)
    elif type(last) is VotingClassifier:
        _mean(last, to)
    elif type(last) in _MLP:
        _layers(last, to)
    elif type(last) in _COVARIANCE:
        _distance(last, to)
    elif type(last) in (*_LINEAR, *_DECISIONS, *_LOGISTIC):
        _linear(last, to)
    else:
        raise CannotCompile(_refusal(last))
    return to


def parts(estimator: Any) -> list[Any]:
    """An estimator and what a pipeline does before it; a search gives its best."""
    if isinstance(estimator, Pipeline):
        return [part for _, step in estimator.steps if step not in ("passthrough", None) for part in parts(step)]
    best = getattr(estimator, "best_estimator_", None)
    return parts(best) if best is not None else [estimator]


def _refusal(step: Any) -> str:
    names = ", ".join(sorted(kind.__name__ for kind in ACCEPTED))
    return f"{type(step).__name__} cannot be compiled into a bundle: use one of {names}, behind scalers if need be."


def _transform(step: Any, to: Unfolded) -> None:
    write = _TRANSFORMS.get(type(step))
    if write is None:
        known = ", ".join(sorted(kind.__name__ for kind in _TRANSFORMS))
        raise CannotCompile(f"{type(step).__name__} cannot be compiled: put it into the features, or use {known}.")
    write(step, to)


def _standard(step: Any, to: Unfolded) -> None:
    if step.with_mean:
        to.add("subtract", by=step.mean_)
    if step.with_std:
        to.add("divide", by=step.scale_)


def _robust(step: Any, to: Unfolded) -> None:
    if step.with_centering:
        to.add("subtract", by=step.center_)
    if step.with_scaling:
        to.add("divide", by=step.scale_)


def _between(step: Any, to: Unfolded) -> None:
    to.add("multiply", by=step.scale_)
    to.add("add", by=step.min_)
    if step.clip:
        low, high = step.feature_range
        to.add("clip", low=np.full_like(step.scale_, low), high=np.full_like(step.scale_, high))


def _filled(step: Any, to: Unfolded) -> None:
    numeric = np.asarray(step.statistics_)
    if step.add_indicator or not np.isnan(step.missing_values) or not np.isfinite(numeric.astype(float)).all():
        raise CannotCompile("This SimpleImputer cannot be compiled: let it fill NaN of columns that have values.")
    to.add("fill", by=numeric)


def _turned(step: Any, to: Unfolded) -> None:
    to.add("subtract", by=step.mean_)
    to.add("dense", weight=step.components_.T, bias=np.zeros(len(step.components_)))
    if step.whiten:
        to.add("divide", by=np.sqrt(np.maximum(step.explained_variance_, np.finfo(float).eps)))


def _bent(step: Any, to: Unfolded) -> None:
    """Each basis function as polynomials between the knots; outside them its tangent or its last value goes on."""
    if step.extrapolation not in ("linear", "constant"):
        raise CannotCompile("This SplineTransformer cannot be compiled: let it extrapolate linearly or constantly.")
    several = [_pieces(spline, step.degree, tangent=step.extrapolation == "linear") for spline in step.bsplines_]
    weights = np.stack([pieces for _, pieces in several])
    to.add("splines", knots=np.stack([knots for knots, _ in several]), weights=_kept(weights, step))


def _kept(weights: NDArray[Any], step: Any) -> NDArray[Any]:
    return weights if step.include_bias else weights[..., :-1]


def _pieces(spline: Any, degree: int, *, tangent: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Knots [k] and coefficients [k + 1, degree + 1, splines], constant first, of a scipy BSpline."""
    knots = spline.t[degree : len(spline.t) - degree]
    terms = [
        spline.derivative(power)(knots) / factorial(power) if power else spline(knots) for power in range(degree + 1)
    ]
    inner = np.stack(terms, axis=1)
    inner[:-1, degree] = (
        spline.derivative(degree)((knots[:-1] + knots[1:]) / 2) / factorial(degree) if degree else inner[:-1, 0]
    )
    ends = inner[[0, -1]].copy()
    ends[:, 2 if tangent else 1 :] = 0.0
    return knots, np.concatenate([ends[:1], inner[:-1], ends[1:]])


def _multiplied(step: Any, to: Unfolded) -> None:
    to.add("products", powers=step.powers_)


_TRANSFORMS: Final[dict[type, Callable[[Any, Unfolded], None]]] = {
    preprocessing.StandardScaler: _standard,
    preprocessing.RobustScaler: _robust,
    preprocessing.MinMaxScaler: _between,
    preprocessing.MaxAbsScaler: lambda step, to: to.add("divide", by=step.scale_),
    SimpleImputer: _filled,
    PCA: _turned,
    preprocessing.SplineTransformer: _bent,
    preprocessing.PolynomialFeatures: _multiplied,
}


def _trees(last: Any, to: Unfolded) -> None:
    if to.names and type(last) in _CASTING:
        to.add("float32")
    to.forests.append(_forest(last))
    to.add("trees")


def _forest(last: Any) -> treelite.Model:
    try:
        return merged(last) if type(last) is VotingRegressor else treelite.sklearn.import_model(last)
    except (treelite.TreeliteError, NotImplementedError, ValueError) as problem:
        raise CannotCompile(f"{type(last).__name__} cannot be compiled ({problem}).") from problem


def _mean(last: Any, to: Unfolded) -> None:
    """The plain mean of the probabilities of two forests, over features as they are."""
    sound = last.voting == "soft" and last.weights is None and len(last.estimators_) == 2 and not to.names
    if not sound or any(type(one) not in _TREES for one in last.estimators_):
        raise CannotCompile(
            "This VotingClassifier cannot be compiled: let it vote softly over two models of trees, without weights"
            " and without a scaler before it."
        )
    to.forests += [_forest(one) for one in last.estimators_]
    to.add("mean of trees")


def _linear(last: Any, to: Unfolded) -> None:
    weight = np.atleast_2d(last.coef_)
    to.add("dense", weight=weight.T, bias=np.broadcast_to(np.ravel(last.intercept_), len(weight)))
    if type(last) in _LOGISTIC:
        to.add("logistic" if len(weight) == 1 else "softmax")


def _distance(last: Any, to: Unfolded) -> None:
    """The squared distance of Mahalanobis: its square root is the length of the turned deviation."""
    location = last.location_
    to.add("subtract", by=location)
    to.add("dense", weight=np.linalg.cholesky(last.get_precision()), bias=np.zeros(len(location)))
    to.add("length")
    to.add("square")


def _layers(last: Any, to: Unfolded) -> None:
    for number, (weight, bias) in enumerate(zip(last.coefs_, last.intercepts_, strict=True), 1):
        to.add("dense", weight=weight, bias=bias)
        activation = last.out_activation_ if number == len(last.coefs_) else last.activation
        if activation != "identity":
            to.add(activation)
