"""How much worse out-of-fold answers get when one input is shuffled."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.data import Data
from shopfloor.models.learn.race import Kept
from shopfloor.models.learn.scores import measure_of
from shopfloor.models.learn.search import answer

_FOLDS: Final = 3
_ROWS: Final = 1500


def importance(data: Data, kept: list[Kept], seed: int = 0) -> list[tuple[str, float]]:
    """Each source of features and what shuffling all of its features costs, in units of the score; largest first."""
    random = np.random.default_rng(seed)
    _, measure, higher = measure_of(data.task, len(data.classes))
    lost: dict[str, list[float]] = {}
    for fold in kept[:_FOLDS]:
        rows = random.permutation(len(fold.rows))[:_ROWS]
        x, truth = fold.x[rows], data.target[fold.rows[rows]]
        whole = measure(answer(fold.model, x, data), truth)
        for source, columns in _columns(fold.spec.sources).items():
            shuffled = x.copy()
            shuffled[:, columns] = x[random.permutation(len(x))][:, columns]
            worse = measure(answer(fold.model, shuffled, data), truth)
            lost.setdefault(source, []).append(whole - worse if higher else worse - whole)
    means = [(source, float(np.mean(values))) for source, values in lost.items()]
    return sorted(means, key=lambda one: -one[1])


def _columns(sources: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    return {
        source: np.array([i for i, one in enumerate(sources) if one == source]) for source in dict.fromkeys(sources)
    }
