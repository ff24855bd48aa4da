"""Honest probabilities from what a model says of rows that it had not seen; the order of the rows is kept.

Sources: Kull, Silva Filho and Flach, "Beta calibration" (2017); Guo, Pleiss, Sun and Weinberger, "On Calibration of
Modern Neural Networks" (2017), sections 3 and 4.2 (expected calibration error, temperature).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from shopfloor.models.spec.memory import Floats
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

_ENOUGH: Final = 1000
_GRID: Final = np.concatenate([[0.0], 1.0 / (1.0 + np.exp(-np.linspace(-9.0, 9.0, 201))), [1.0]])
_LEAST: Final = 1e-4
_WEAK: Final = 100.0
_BINS: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class Probability:
    """A model's probability of the second of two classes becomes an honest one by a strictly rising curve [g] over it.

    >>> said = np.linspace(0.01, 0.99, 400)
    >>> truth = (np.random.default_rng(0).uniform(size=400) < said**2).astype(float)
    >>> abs(float(Probability.of(said, truth)(np.array([0.5]))[0]) - 0.25) < 0.06
    True
    """

    at: Floats
    honest: Floats

    @classmethod
    def of(cls, said: Floats, truth: Floats) -> Probability:
        """Isotonic where there are very many cases of both classes, otherwise a beta curve: no ties, no order lost."""
        if min(truth.sum(), len(truth) - truth.sum()) >= _ENOUGH:
            return cls(*_isotonic(said, truth))
        return cls(_GRID, _beta(said, truth))

    def __call__(self, said: Floats) -> Floats:
        """Honest probabilities [n]."""
        return np.interp(said, self.at, self.honest)


def _isotonic(said: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """The middles of the steps, joined by straight lines, as if one more case had come true as said: no level piece."""
    order = np.argsort(said, kind="stable")
    step = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(said[order], truth[order])
    height, code = np.unique(step, return_inverse=True)
    middle = np.bincount(code, said[order]) / np.bincount(code)
    at, level = np.concatenate([[0.0], middle, [1.0]]), np.concatenate([[0.0], height, [1.0]])
    return at, (len(said) * level + at) / (len(said) + 1.0)


def _beta(said: Floats, truth: Floats) -> Floats:
    """The beta curve over the grid; a part that would make it fall is left out, and nothing but the share is left."""
    both = _rising(said, truth, [0, 1])
    if isinstance(both, LogisticRegression):
        return _over_grid(both, [0, 1])
    for part in np.argsort(-both).tolist():
        curve = _rising(said, truth, [part])
        if isinstance(curve, LogisticRegression):
            return _over_grid(curve, [part])
    return np.full(len(_GRID), float(truth.mean()))


def _rising(said: Floats, truth: Floats, parts: list[int]) -> LogisticRegression | Floats:
    """The curve of some parts, or their slopes when one of them falls."""
    curve = LogisticRegression(C=_WEAK).fit(_ends(said)[:, parts], truth)
    slopes: Floats = curve.coef_[0]
    return curve if (slopes >= 0.0).all() else slopes


def _over_grid(curve: LogisticRegression, parts: list[int]) -> Floats:
    honest: Floats = curve.predict_proba(_ends(_GRID)[:, parts])[:, 1]
    return honest


def _ends(p: Floats) -> Floats:
    """The logarithms of p and of 1 / (1 - p), as columns."""
    return np.column_stack([np.log(np.clip(p, _LEAST, 1.0)), -np.log(np.clip(1.0 - p, _LEAST, 1.0))])


@dataclass(frozen=True, slots=True)
class Temperature:
    """The probabilities of several classes [n, c], all flattened (above 1) or sharpened by one number.

    >>> sure = np.array([[0.9, 0.1]] * 4)
    >>> Temperature.of(sure, np.array([0.0, 0.0, 1.0, 0.0]))(sure)[0].round(2).tolist()
    [0.75, 0.25]
    """

    value: float

    @classmethod
    def of(cls, said: Floats, truth: NDArray[Any]) -> Temperature:
        """The temperature with the least log loss."""
        rows, where = np.arange(len(truth)), truth.astype(np.int64)

        def loss(power: float) -> float:
            return -float(np.log(cls(float(np.exp(power)))(said)[rows, where]).mean())

        return cls(float(np.exp(minimize_scalar(loss, bounds=(-2.5, 2.5), method="bounded").x)))

    def __call__(self, said: Floats) -> Floats:
        """Honest probabilities [n, c]; no class is impossible."""
        warmed = np.maximum(said, _LEAST) ** (1.0 / self.value)
        shares: Floats = warmed / warmed.sum(axis=1, keepdims=True)
        return shares


def honest(said: Floats, truth: NDArray[Any], folds: list[NDArray[np.int64]]) -> Floats:
    """Probabilities [n, c], each row's calibrated without its fold: what a reliability plot may show."""
    told = np.zeros_like(said)
    for rows in folds:
        others = np.ones(len(said), bool)
        others[rows] = False
        told[rows] = calibrated(calibration(said[others], truth[others]), said[rows])
    return told


def calibration(said: Floats, truth: NDArray[Any]) -> Probability | Temperature:
    """The calibration of the probabilities [n, c] of two or more classes."""
    if said.shape[1] > 2:
        return Temperature.of(said, truth)
    return Probability.of(said[:, 1], np.asarray(truth, np.float64))


def calibrated(by: Probability | Temperature, said: Floats) -> Floats:
    """Honest probabilities [n, c]."""
    if isinstance(by, Temperature):
        return by(said)
    second = by(said[:, 1])
    return np.stack([1.0 - second, second], axis=1)


def reliability(said: Floats, truth: NDArray[Any]) -> tuple[Floats, Floats, float]:
    """What was said and the share that came true, in ten bins with equally many cases, and their mean distance.

    Of two classes the second one's probability, of several that of the most probable one.
    """
    sure, came = (said[:, 1], truth == 1) if said.shape[1] == 2 else (said.max(axis=1), said.argmax(axis=1) == truth)
    pieces = [piece for piece in np.array_split(np.argsort(sure, kind="stable"), _BINS) if len(piece)]
    told, true = np.array([sure[piece].mean() for piece in pieces]), np.array([came[piece].mean() for piece in pieces])
    share = np.array([len(piece) for piece in pieces]) / len(sure)
    return told, true, float(np.abs(told - true) @ share)
