"""Which features and which model: a first fold for all, more folds for those that may be the best, within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.blend import blended, helping
from shopfloor.models.learn.blueprint import Blueprint, features_of
from shopfloor.models.learn.candidates import Candidate
from shopfloor.models.learn.data import Data
from shopfloor.models.learn.indices import views
from shopfloor.models.learn.race import LEAST, Judge, Kept, Runner, affordable, promising
from shopfloor.models.learn.scores import measure_of, trivial_answer
from shopfloor.models.learn.split import Fold, Split
from shopfloor.models.spec import FeatureSpec
from shopfloor.models.spec.memory import Matrix

Told = Callable[[float, str], None]

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
class Answers:
    """Out-of-fold answers [n] or [n, classes], the trivial rule's, the folds as they were, CPU seconds per fit."""

    said: NDArray[Any]
    trivial: NDArray[Any]
    kept: list[Kept]
    seconds: float


@dataclass(slots=True)
class Search:
    """Races pairings on the learning rows of a split; nothing else of the table is ever looked at."""

    data: Data
    split: Split
    budget_s: float
    told: Told
    begun: float = field(default_factory=time.process_time)
    trials: list[Trial] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    blueprint_s: dict[Blueprint, float] = field(default_factory=dict)

    def best(self, blueprints: list[Blueprint], candidates: list[Candidate]) -> tuple[Trial, Answers]:
        """The pairing with the best score over all folds among those that got that far, and its out-of-fold answers."""
        runners = self._start(blueprints, candidates)
        racing, folds = runners, len(self.split.folds)
        for fold in range(1, folds):
            ahead = self._ahead(racing, fold)
            racing = [runner for runner in racing if runner in ahead]
            self.told(0.35 + 0.4 * fold / folds, f"Fold {fold + 1} of {folds}: {_names(racing)}")
            self._run(racing, fold)
        winner = self._winner(racing)
        runners = runners if winner in runners else [*runners, winner]
        self.trials = sorted((self._trial(runner, folds) for runner in runners), key=self._order)
        return self._trial(winner, folds), self._answers(winner)

    def _start(self, blueprints: list[Blueprint], candidates: list[Candidate]) -> list[Runner]:
        """All pairings that can be afforded on the first fold; of blueprints that make the same, the plainer one."""
        learned, _ = self.split.folds[0]
        made = {blueprint: self._features(blueprint, 0) for blueprint in blueprints}
        plainer = {spec.sha: blueprint for blueprint, (spec, _) in made.items()}
        runners: list[Runner] = []
        for blueprint in plainer.values():
            spec, x = made[blueprint]
            for candidate in (one for one in candidates if one.mean or not blueprint.views):
                runner = Runner(blueprint, candidate, self._nothing())
                if len(runners) >= LEAST and candidate.seconds(len(learned), x.shape[1]) > self._largest():
                    self.skipped.append(runner.words)
                    continue
                self.told(0.05 + 0.3 * len(runners) / len(plainer) / len(candidates), f"First fold: {runner.words}")
                self._learn(runner, 0, spec, x)
                runners.append(runner)
        return runners

    def _ahead(self, racing: list[Runner], fold: int) -> list[Runner]:
        """Who runs the next fold: those that may be the best, alone or in a mean, as far as the budget reaches."""
        ranked = self._ranked(racing, fold)
        left = self._left() - max(self.blueprint_s.values()) - ranked[0].fold_s
        found = affordable(ranked, len(self.split.folds) - fold, left, self.blueprint_s.__getitem__)
        self.skipped += [f"{runner.words} (from fold {fold + 1})" for runner in ranked if runner not in found]
        return found

    def _run(self, racing: list[Runner], fold: int) -> None:
        for blueprint in dict.fromkeys(runner.blueprint for runner in racing):
            spec, x = self._features(blueprint, fold)
            for runner in racing:
                if runner.blueprint == blueprint:
                    self._learn(runner, fold, spec, x)

    def _features(self, blueprint: Blueprint, fold: int) -> tuple[FeatureSpec, Matrix]:
        begun = time.process_time()
        spec = blueprint.fit(self.data, self.split.folds[fold][0])
        x = features_of(spec, self.data)
        self.blueprint_s[blueprint] = time.process_time() - begun
        return spec, x

    def _learn(self, runner: Runner, fold: int, spec: FeatureSpec, x: Matrix) -> None:
        learned, scored = self.split.folds[fold]
        begun = time.process_time()
        model = fitted(runner.candidate, runner.blueprint, spec, x[learned], self.data.target[learned])
        runner.said[scored] = answer(model, x[scored], self.data)
        runner.seconds.append(time.process_time() - begun)
        runner.kept.append(Kept(scored, x[scored], model, spec))
        if fold == 0:
            runner.first = self._measure()[0](runner.said[scored], self.data.target[scored])

    def _answers(self, runner: Runner) -> Answers:
        trivial = self._nothing()
        for learned, scored in self.split.folds:
            target = self.data.target[learned]
            trivial[scored] = trivial_answer(self.data.task, len(self.data.classes), target, len(scored))
        return Answers(runner.said, trivial, runner.kept, runner.fold_s)

    def _trial(self, runner: Runner, folds: int) -> Trial:
        whole = self._measure()[0](runner.said, self.data.target) if len(runner.kept) == folds else None
        return Trial(runner.blueprint, runner.candidate, runner.first, runner.fold_s, whole)

    def _order(self, trial: Trial) -> tuple[bool, float]:
        sign = -1.0 if self._measure()[1] else 1.0
        return trial.whole is None, sign * (trial.first if trial.whole is None else trial.whole)

    def _largest(self) -> float:
        """What one fit may cost: the other folds and the last fit still have to follow."""
        return min(self._left() * 0.5, self.budget_s * _LARGE_SHARE)

    def _left(self) -> float:
        return self.budget_s - (time.process_time() - self.begun)

    def _winner(self, racing: list[Runner]) -> Runner:
        folds = len(self.split.folds)
        best = self._ranked(racing, folds)[0]
        return blended(best, racing, *self._judged(folds))

    def _ranked(self, racing: list[Runner], folds: int) -> list[Runner]:
        """Those not surely worse on the first so many folds, best first; then those that help the best one."""
        rows, judge = self._judged(folds)
        alone = [racing[i] for i in promising([runner.said[rows] for runner in racing], judge)]
        helpers = helping(alone[0], racing, rows, judge)
        return [*alone, *(runner for runner in helpers if runner not in alone)]

    def _judged(self, folds: int) -> tuple[NDArray[np.int64], Judge]:
        """The rows that were scored in the first so many folds, and who compares answers to them."""
        rows = np.concatenate([scored for _, scored in self.split.folds[:folds]])
        return rows, Judge(*self._measure(), self.data.target[rows], self.split.block[rows])

    def _measure(self) -> tuple[Callable[[NDArray[Any], Any], float], bool]:
        return measure_of(self.data.task, len(self.data.classes))[1:]

    def _nothing(self) -> NDArray[Any]:
        return np.zeros(_shape(self.data))


def _names(racing: list[Runner]) -> str:
    return f"{racing[0].words}" + (f" and {len(racing) - 1} more" if len(racing) > 1 else "")


def _shape(data: Data) -> tuple[int, ...]:
    return (len(data), len(data.classes)) if data.task == "class" else (len(data),)


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


def out_of_fold(data: Data, blueprint: Blueprint, candidate: Candidate, folds: tuple[Fold, ...]) -> NDArray[Any]:
    """Each row's answer [n] or [n, classes] by a model, and features, that were fitted without its fold."""
    said = np.zeros(_shape(data))
    for learned, scored in folds:
        spec = blueprint.fit(data, learned)
        x = features_of(spec, data)
        model = fitted(candidate, blueprint, spec, x[learned], data.target[learned])
        said[scored] = answer(model, x[scored], data)
    return said
