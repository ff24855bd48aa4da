"""A model to measure with: 20 inputs, 140 features of their past, 100 boosted trees; and its estimator."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.compile import Calibration, Card, Features, Sealed
from shopfloor.models.compile import compile as compiled
from shopfloor.models.features import Matrix
from shopfloor.models.spec import FeatureSpec, Stream
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

INPUTS: Final = tuple(f"input {i}" for i in range(20))
_ASSETS: Final = 100
_STEPS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class ToyModel:
    """What to measure: the spec, the bundle, and the scikit-learn estimator."""

    spec: FeatureSpec
    sealed: Sealed
    estimator: Any

    def alone(self, row: Matrix) -> float:
        """What scikit-learn says of one row of features [1, f]: what a loop over windows asks."""
        return float(self.estimator.predict(row)[0])


def toy_model(seed: int = 7) -> ToyModel:
    """Learn it, in about a second."""
    spec = FeatureSpec.plain(INPUTS, remembered=INPUTS)
    stream, rng = Stream(spec), np.random.default_rng(seed)
    names = [f"asset {i}" for i in range(_ASSETS)]
    values = walks(_ASSETS, _STEPS, seed)
    x = np.concatenate([stream.push(names, np.full(_ASSETS, t), values[t]) for t in range(_STEPS)])
    y = x[:, 0] + x[:, 25] * x[:, 47] + 0.1 * rng.normal(size=len(x))
    half = len(x) // 2
    estimator = HistGradientBoostingRegressor(max_iter=100, max_bins=63, early_stopping=False, random_state=seed)
    with one_thread():
        estimator.fit(x[:half].astype(np.float64), y[:half])
    features = Features(spec.names, json.loads(spec.to_json()))
    card = Card("toy", "Toy to measure with", trained_at=0, split="first half of the rows, second half")
    return ToyModel(spec, compiled(estimator, features, Calibration(x[half:], y[half:]), card), estimator)


def one_thread() -> AbstractContextManager[Any]:
    """Keep scikit-learn to one thread: on a busy machine, or for a single row, more only wait for each other."""
    return threadpool_limits(1)  # type: ignore[no-any-return]


def walks(assets: int, steps: int, seed: int) -> NDArray[np.float64]:
    """Random walks [steps, assets, inputs]."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=(steps, assets, len(INPUTS))), axis=0) + rng.normal(size=(assets, len(INPUTS)))
