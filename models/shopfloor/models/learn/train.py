"""One call: a table with roles becomes a model with an honest score, or a sentence that says why not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from shopfloor.models.learn.blueprint import blueprints, features_of
from shopfloor.models.learn.calibrate import Intervals, alarm, covered
from shopfloor.models.learn.candidates import Candidate, candidates
from shopfloor.models.learn.data import Data, read
from shopfloor.models.learn.importance import importance
from shopfloor.models.learn.leaks import Finding, leaks, unusable
from shopfloor.models.learn.learned import Evidence, Learned
from shopfloor.models.learn.novelty import Usual, learn_usual
from shopfloor.models.learn.probability import calibration, honest
from shopfloor.models.learn.roles import LearnError, Roles
from shopfloor.models.learn.scores import LEAST_GROUPS, Score, measure_of, score
from shopfloor.models.learn.search import Answers, Search, Trial, fitted, out_of_fold
from shopfloor.models.learn.split import Split, choose, random_rows
from shopfloor.models.learn.table import Table
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Progress = Callable[[float, str], None]

BUDGET_S: Final = 120.0
_RANDOM_ROWS: Final = 10_000
_ALARMING: Final = 0.25
_PAIRING: Final = 0.5
"""Share of the budget that the search for interactions may take, in all folds together."""


def train(
    table: Table,
    roles: Roles,
    *,
    budget_s: float = BUDGET_S,
    progress: Progress = lambda _, __: None,
    tried: Callable[[Data], list[Candidate]] = candidates,
) -> Learned:
    """Learn what the roles ask for, on one thread, within about `budget_s` CPU seconds.

    `progress(share, sentence)` is called as the work goes on; `tried` names the models to try. Raises `LearnError` when
    nothing can be learned from the table; when something can but must not be trusted, the answer's `abstains` says why.

    >>> random = np.random.default_rng(0)
    >>> load, wear = random.normal(size=400), random.normal(size=400)
    >>> table = {"load": load, "wear": wear, "size": 2.0 * load + 0.1 * random.normal(size=400)}
    >>> learned = train(table, Roles(target="size", independent=True), budget_s=5)
    >>> learned.score.beats, learned.abstains
    (True, None)
    """
    begun = time.process_time()
    with threadpool_limits(limits=1):
        progress(0.0, "Reading the table")
        data, findings = _usable(table, roles)
        if data.task == "novelty":
            return _watch(table, data, roles, findings, begun, progress)
        return _Training(data, roles, findings, budget_s, begun, progress).run(tried(data))


def _usable(table: Table, roles: Roles) -> tuple[Data, list[Finding]]:
    """The data without the inputs that must not enter a model, and what was found on the way."""
    data = read(table, roles)
    findings = unusable(data, roles)
    if data.task != "novelty":
        findings += leaks(_without(data, findings))
    dropped = [one for one in findings if one.drop and (roles.drop_leaks or one.kind in _ALWAYS)]
    return _without(data, dropped), findings


_ALWAYS: Final = ("identifier", "constant", "counter")


def _without(data: Data, findings: list[Finding]) -> Data:
    gone = {one.column for one in findings if one.drop and one.column}
    left = tuple(name for name in data.inputs if name not in gone)
    if not left:
        raise LearnError("No input is left: each one is constant, a counter, an identifier or knows the target.")
    return data.only(left)


@dataclass(slots=True)
class _Training:
    """One supervised run."""

    data: Data
    roles: Roles
    findings: list[Finding]
    budget_s: float
    begun: float
    progress: Progress

    def run(self, tried: list[Candidate]) -> Learned:
        data, split = self.data, choose(self.data, self.roles)
        search = Search(data, split, self.budget_s * 0.8, lambda share, text: self.progress(share * 0.9, text))
        pairing_s = self.budget_s * _PAIRING / len(split.folds)
        trial, answers = search.best(blueprints(data, self.roles, pairing_s), tried)
        self.progress(0.75, "The same on random rows, as a leak alarm")
        found = self._score(split, answers)
        found = replace(found, random=found.value if split.rule == "rows" else _on_random_rows(data, trial))
        self.progress(0.85, "Learning from all rows")
        started = time.process_time()
        spec = trial.blueprint.fit(data, np.arange(len(data)))
        model = fitted(trial.candidate, trial.blueprint, spec, features_of(spec, data), data.target)
        fit_seconds = time.process_time() - started
        self.progress(0.9, "Which inputs matter")
        weights = importance(data, answers.kept)
        self.progress(1.0, "Ready")
        return Learned(
            data.task, self.roles, data.take(np.arange(0)) if data.task != "life" else _shape(data), spec, model,
            trial.candidate.name, split.sentence, found, tuple(self.findings), _abstains(split, found),
            tuple(search.trials), tuple(search.skipped), tuple(weights), time.process_time() - self.begun, fit_seconds,
            len(data), data.groups, evidence=_evidence(data, split, answers),
            **self._calibrated(split, answers),
        )  # fmt: skip

    def _score(self, split: Split, answers: Answers) -> Score:
        task, classes = self.data.task, len(self.data.classes)
        return score(task, classes, answers.said, answers.trivial, self.data.target, split.block)

    def _calibrated(self, split: Split, answers: Answers) -> dict[str, Any]:
        data, roles, said = self.data, self.roles, answers.said
        if data.task != "class":
            floor, ceiling = (0.0, float(data.target.max())) if data.task == "life" else (-np.inf, np.inf)
            found = Intervals.of(said, data.target, split.block, roles.coverage, floor, ceiling)
            return {"intervals": found, "coverage": covered(said, data.target, split.block, roles.coverage)}
        by = calibration(said, data.target)
        if len(data.classes) > 2:
            return {"probability": by}
        folds = [scored for _, scored in split.folds]
        return {
            "probability": by,
            "alarm": alarm(said[:, 1], data.target, folds, roles.false_alarms, data.per_day),
        }


def _evidence(data: Data, split: Split, answers: Answers) -> Evidence:
    told = honest(answers.said, data.target, [rows for _, rows in split.folds]) if data.task == "class" else None
    return Evidence(answers.said, data.target, data.group, data.row, told)


def _shape(data: Data) -> Data:
    """One row that holds the largest target: a prediction of remaining life never exceeds it."""
    return data.take(np.array([int(np.argmax(data.target))]))


def _on_random_rows(data: Data, trial: Trial) -> float:
    """The score that rows at random would have claimed."""
    rows = np.arange(len(data))
    if len(rows) > _RANDOM_ROWS:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:_RANDOM_ROWS])
    some = data.take(rows) if trial.blueprint.remember is False else data
    said = out_of_fold(some, trial.blueprint, trial.candidate, random_rows(some))
    return measure_of(data.task, len(data.classes))[1](said, some.target)


def _abstains(split: Split, found: Score) -> str | None:
    if split.rule == "group" and split.blocks < LEAST_GROUPS:
        return (
            f"the score rests on {split.blocks} groups, at least {LEAST_GROUPS} are needed before a claim means"
            f" anything (random rows would have claimed {found.name} {found.random:.3g} instead of {found.value:.3g})."
        )
    if not found.beats:
        return (
            f"{found.name} {found.value:.3g} does not beat the trivial rule ({found.rule}, {found.baseline:.3g}) with"
            " 95 % confidence: more assets or better inputs are needed."
        )
    return None


def leaky(found: Score) -> bool:
    """Whether random rows claim so much more that rows of one group must know each other."""
    if found.random is None:
        return False
    if found.higher:
        return (found.random - found.value) > _ALARMING * max(1.0 - found.value, 0.02)
    return (found.value - found.random) > _ALARMING * found.value


def _watch(
    table: Table, data: Data, roles: Roles, findings: list[Finding], begun: float, progress: Progress
) -> Learned:
    progress(0.1, "Learning what is usual")
    usual: Usual = learn_usual(data, roles, table)
    progress(1.0, "Ready")
    split = "5 blocks of the healthy span, each judged by the others with an embargo of 20 rows around it."
    seconds = time.process_time() - begun
    return Learned(
        "novelty", roles, data.take(np.arange(0)), usual.spec, usual.model, "Ledoit-Wolf distance", split, None,
        tuple(findings), _too_restless(usual, roles), (), (), (), seconds, seconds, usual.rows, data.groups,
        usual=usual,
    )  # fmt: skip


def _too_restless(usual: Usual, roles: Roles) -> str | None:
    """A healthy span that is unlike itself gives thresholds that mean nothing."""
    most = max(5.0 * roles.false_alarms, 0.05)
    if usual.honest <= most:
        return None
    return (
        f"{usual.honest:.1%} of healthy rows alarm when thresholds are set without them, expected at most {most:.0%}:"
        " the healthy span is not stationary; choose a longer or calmer one."
    )
