"""The mean of two models of different kinds: they err on different rows, and their mean on fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.candidates import Candidate
from shopfloor.models.learn.race import SURE, Judge, Kept, Runner
from sklearn.ensemble import VotingClassifier

_WORTH: Final = 0.5
"""A mean is two models to keep: it must be better than the best of them by this part of a standard error."""


def blended(best: Runner, others: Sequence[Runner], rows: NDArray[np.int64], judge: Judge) -> Runner:
    """The best classifier, or its mean with one of another kind on the same features when these rows say so."""
    means = [_mean(best, other) for other in others if _may_join(best, other)]
    if not means:
        return best
    mean = max(means, key=lambda one: judge.score(one.said[rows]))
    return mean if judge.lead(mean.said[rows], best.said[rows]) > _WORTH else best


def helping(best: Runner, others: Sequence[Runner], rows: NDArray[np.int64], judge: Judge) -> list[Runner]:
    """Those whose mean with the best one is not surely worse than it on these rows, however they do alone."""
    alone, joined = best.said[rows], [one for one in others if _may_join(best, one)]
    return [one for one in joined if judge.lead(alone, (alone + one.said[rows]) / 2.0) <= SURE]


def _may_join(best: Runner, other: Runner) -> bool:
    one, another = best.candidate, other.candidate
    return other.blueprint == best.blueprint and one.joins and another.joins and one.kind != another.kind


def _mean(one: Runner, other: Runner) -> Runner:
    return Runner(
        one.blueprint,
        _together(one.candidate, other.candidate),
        (one.said + other.said) / 2.0,
        (one.first + other.first) / 2.0,
        [a + b for a, b in zip(one.seconds, other.seconds, strict=True)],
        [Kept(a.rows, a.x, Mean((a.model, b.model)), a.spec) for a, b in zip(one.kept, other.kept, strict=True)],
    )


def _together(one: Candidate, other: Candidate) -> Candidate:
    def make() -> Any:
        return VotingClassifier([("first", one.make()), ("second", other.make())], voting="soft")

    return Candidate(f"mean of {one.name} and {other.name}", make, one.tests + other.tests)


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """The mean of classifiers that learned from the same rows."""

    models: tuple[Any, ...]

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes they saw."""
        seen: NDArray[Any] = self.models[0].classes_
        return seen

    def predict_proba(self, x: NDArray[Any]) -> NDArray[Any]:
        """Probabilities [n, classes]."""
        said: NDArray[Any] = np.mean([model.predict_proba(x) for model in self.models], axis=0)
        return said
