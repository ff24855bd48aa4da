"""Which features and which model: a first fold for all, all folds for the best, within a budget of CPU seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.blueprint import Blueprint, features_of
from shopfloor.models.learn.candidates import Candidate
from shopfloor.models.learn.data import Data
from shopfloor.models.learn.indices import views
from shopfloor.models.learn.scores import measure_of, trivial_answer
from shopfloor.models.learn.split import Fold, Split
from shopfloor.models.spec import FeatureSpec
from shopfloor.models.spec.memory import Matrix

Told = Callable[[float, str], None]

_FINALISTS: Final = 2
_LARGE_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Trial:
    """One pairing of features and model; its score on the first fold, and on all folds when it got that far."""

    blueprint: Blueprint
    candidate: Candidate
    first: float
    seconds: float
    whole: float | None = None

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.candidate.name} on {self.blueprint.words}"


@dataclass(slots=True, eq=False)
class Kept:
    """A fold as it was scored: rows, their features, the model and the specification that had not seen them."""

    rows: NDArray[np.int64]
    x: Matrix
    model: Any
    spec: FeatureSpec


@dataclass(slots=True, eq=False)
class Answers:
    """Out-of-fold answers [n] or [n, classes], the trivial rule's, the folds as they were, CPU seconds per fit."""

    said: NDArray[Any]
    trivial: NDArray[Any]
    kept: list[Kept]
    seconds: float


@dataclass(slots=True)
class Search:
    """Tries pairings on the learning rows of a split; nothing else of the table is ever looked at."""

    data: Data
    split: Split
    budget_s: float
    told: Told
    begun: float = field(default_factory=time.process_time)
    trials: list[Trial] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    built: dict[tuple[Blueprint, int], FeatureSpec] = field(default_factory=dict)

    def best(self, blueprints: list[Blueprint], candidates: list[Candidate]) -> tuple[Trial, Answers]:
        """The pairing with the best score over all folds among the finalists, and its out-of-fold answers."""
        self._first_fold(blueprints, candidates)
        ranked = sorted(self.trials, key=lambda trial: -self._sign() * trial.first)
        done: list[tuple[Trial, Answers]] = []
        for i, trial in enumerate(ranked[:_FINALISTS]):
            if done and self._left() < trial.seconds * 2.5 * len(self.split.folds):
                self.skipped.append(f"{trial.words} (all folds)")
                continue
            self.told(0.4 + 0.2 * i, f"All folds: {trial.words}")
            answers = out_of_fold(self.data, trial.blueprint, trial.candidate, self.split.folds, self.built)
            whole = self._measure(answers.said, self.data.target)
            done.append((Trial(trial.blueprint, trial.candidate, trial.first, answers.seconds, whole), answers))
        best = max(done, key=lambda one: self._sign() * (one[0].whole or 0.0))
        self.trials = [*(trial for trial, _ in done), *ranked[len(done) :]]
        return best

    def _first_fold(self, blueprints: list[Blueprint], candidates: list[Candidate]) -> None:
        learned, scored = self.split.folds[0]
        for i, blueprint in enumerate(blueprints):
            spec = self.built[blueprint, 0] = blueprint.fit(self.data, learned)
            x = features_of(spec, self.data)
            for j, candidate in enumerate(one for one in candidates if one.mean or not blueprint.views):
                share = (i + j / len(candidates)) / len(blueprints)
                if self.trials and candidate.seconds(len(learned), x.shape[1]) > self._affordable():
                    self.skipped.append(f"{candidate.name} on {blueprint.words}")
                    continue
                self.told(0.05 + 0.35 * share, f"First fold: {candidate.name} on {blueprint.words}")
                begun = time.process_time()
                model = fitted(candidate, blueprint, spec, x[learned], self.data.target[learned])
                first = self._measure(answer(model, x[scored], self.data), self.data.target[scored])
                self.trials.append(Trial(blueprint, candidate, first, time.process_time() - begun))

    def _affordable(self) -> float:
        """What one fit may cost: all folds, the comparison and the last fit still have to follow."""
        return min(self._left() * 0.5, self.budget_s * _LARGE_SHARE)

    def _left(self) -> float:
        return self.budget_s - (time.process_time() - self.begun)

    def _measure(self, said: NDArray[Any], truth: NDArray[Any]) -> float:
        return measure_of(self.data.task, len(self.data.classes))[1](said, truth)

    def _sign(self) -> float:
        return 1.0 if measure_of(self.data.task, len(self.data.classes))[2] else -1.0


def fitted(candidate: Candidate, blueprint: Blueprint, spec: FeatureSpec, x: Matrix, target: NDArray[Any]) -> Any:
    """A fresh model that learned from these rows; a column that is missing everywhere counts as 0."""
    return candidate.over(views(spec) if blueprint.views else ()).fit(known(x), target)


def known(x: Matrix) -> Matrix:
    """Columns without any known value become 0: nothing can be learned from them, and no model chokes on them."""
    nothing = np.isnan(x).all(axis=0)
    return np.where(nothing, np.float32(0.0), x) if nothing.any() else x


def answer(model: Any, x: Matrix, data: Data) -> NDArray[Any]:
    """What a model says: numbers [n], or probabilities [n, classes] with 0 for classes that it never saw."""
    if data.task != "class":
        said: NDArray[Any] = np.asarray(model.predict(x), np.float64)
        return np.clip(said, 0.0, data.target.max()) if data.task == "life" else said
    found = np.zeros((len(x), len(data.classes)))
    found[:, np.asarray(model.classes_, np.int64)] = model.predict_proba(x)
    return found


def out_of_fold(
    data: Data,
    blueprint: Blueprint,
    candidate: Candidate,
    folds: tuple[Fold, ...],
    built: dict[tuple[Blueprint, int], FeatureSpec] | None = None,
) -> Answers:
    """Each row's answer by a model, and features, that were fitted without its fold; `built` keeps specifications."""
    built = {} if built is None else built
    shape = (len(data), len(data.classes)) if data.task == "class" else (len(data),)
    said, trivial, kept = np.zeros(shape), np.zeros(shape), []
    begun = time.process_time()
    for i, (learned, scored) in enumerate(folds):
        spec = built[blueprint, i] = built.get((blueprint, i)) or blueprint.fit(data, learned)
        x = features_of(spec, data)
        model = fitted(candidate, blueprint, spec, x[learned], data.target[learned])
        said[scored] = answer(model, x[scored], data)
        trivial[scored] = trivial_answer(data.task, len(data.classes), data.target[learned], len(scored))
        kept.append(Kept(scored, x[scored], model, spec))
    return Answers(said, trivial, kept, (time.process_time() - begun) / len(folds))
