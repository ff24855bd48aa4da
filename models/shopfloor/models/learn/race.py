"""A race over the same folds: a runner stays while it may still be the best, and while the budget reaches.

Source: Maron and Moore, "Hoeffding Races" (1994); here runners are compared pairwise on resampled blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.blueprint import Blueprint
from shopfloor.models.learn.candidates import Candidate
from shopfloor.models.learn.scores import Measure, resampled
from shopfloor.models.spec import FeatureSpec
from shopfloor.models.spec.memory import Matrix

_RESAMPLES: Final = 100
SURE: Final = 2.0
"""A runner is surely worse when its loss against the leader is this many standard errors."""
LEAST: Final = 2
"""So many run whatever it costs, while they may be the best."""


@dataclass(slots=True, eq=False)
class Kept:
    """A fold as it was scored: rows, their features, the model and the specification that had not seen them."""

    rows: NDArray[np.int64]
    x: Matrix
    model: Any
    spec: FeatureSpec


@dataclass(slots=True, eq=False)
class Runner:
    """A pairing in the race: its answers [n] or [n, classes] to the folds so far, CPU seconds of each, the folds."""

    blueprint: Blueprint
    candidate: Candidate
    said: NDArray[Any]
    first: float = np.nan
    seconds: list[float] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.candidate.name} on {self.blueprint.words}"

    @property
    def fold_s(self) -> float:
        """CPU seconds of one fold."""
        return float(np.mean(self.seconds))


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """How answers are compared: the measure, whether higher is better, the truth and the block of each row [n]."""

    measure: Measure
    higher: bool
    truth: NDArray[Any]
    block: NDArray[np.int64]

    def score(self, said: NDArray[Any]) -> float:
        """The measure, turned so that higher is better."""
        return self.measure(said, self.truth) if self.higher else -self.measure(said, self.truth)

    def lead(self, better: NDArray[Any], other: NDArray[Any]) -> float:
        """By how many standard errors the first answers are better, on the same resampled blocks."""
        draws = [(better[rows], other[rows], self.truth[rows]) for rows in resampled(self.block, _RESAMPLES)]
        gain = np.array([self.measure(a, truth) - self.measure(b, truth) for a, b, truth in draws])
        gain = gain if self.higher else -gain
        return float(gain.mean() / max(float(gain.std()), 1e-12))


def promising(answers: Sequence[NDArray[Any]], judge: Judge) -> list[int]:
    """Places of the answers that are not surely worse than the best ones, best first; of equal ones the earlier.

    >>> judge = Judge(lambda said, truth: float(np.mean(said == truth)), True, np.ones(90), np.arange(90))
    >>> nearly = np.where(np.arange(90) < 1, 0.0, 1.0)
    >>> promising([np.zeros(90), nearly, np.ones(90)], judge)
    [2, 1]
    """
    scores = [judge.score(said) for said in answers]
    order = sorted(range(len(answers)), key=lambda i: -scores[i])
    best = answers[order[0]]
    return [order[0], *(i for i in order[1:] if judge.lead(best, answers[i]) <= SURE)]


def affordable(
    ranked: Sequence[Runner], folds: int, left_s: float, blueprint_s: Callable[[Blueprint], float]
) -> list[Runner]:
    """Who can run so many more folds within `left_s` CPU seconds, best first; the first two can in any case.

    `blueprint_s` tells what one fold's features of a blueprint cost, once for all that run on it.
    """
    found: list[Runner] = []
    spent = 0.0
    for runner in ranked:
        shared = any(one.blueprint == runner.blueprint for one in found)
        cost = folds * (runner.fold_s + (0.0 if shared else blueprint_s(runner.blueprint)))
        if len(found) < LEAST or spent + cost <= left_s:
            found.append(runner)
            spent += cost
    return found
