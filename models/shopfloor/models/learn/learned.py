"""What training hands on: a specification, a model, its calibration, and everything its card tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.blueprint import features_of
from shopfloor.models.learn.calibrate import Alarm, Intervals
from shopfloor.models.learn.data import Data, read
from shopfloor.models.learn.leaks import Finding
from shopfloor.models.learn.novelty import Novelty, Usual
from shopfloor.models.learn.probability import Probability, Temperature, calibrated
from shopfloor.models.learn.roles import LearnError, Roles, Task
from shopfloor.models.learn.scores import Score
from shopfloor.models.learn.search import Trial, answer, known
from shopfloor.models.learn.table import Table
from shopfloor.models.spec import FeatureSpec
from shopfloor.models.spec.memory import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the score rests on: honest answers [n] or [n, classes], the target [n], groups [n], row of the table [n].

    `told` [n, classes]: probabilities, each row's calibrated without its fold.
    """

    said: NDArray[Any]
    truth: Floats
    group: NDArray[np.int64]
    row: NDArray[np.int64]
    told: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What is said of each row of the table; NaN and False for rows that no model may judge.

    `value` [n]: a number, the rank of a class, or a distance from the usual; its interval from `low` to `high` [n];
    `probability` [n, classes]; `alarm` [n].
    """

    value: Floats
    low: Floats
    high: Floats
    probability: Floats
    alarm: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A model with its proof.

    `like`     the shape of the data, without rows; `model` the estimator (or `Novelty`) on `spec`'s float32 features
    `abstains` why it must not be used, in one sentence; None when it may
    """

    task: Task
    roles: Roles
    like: Data
    spec: FeatureSpec
    model: Any
    name: str
    split: str
    score: Score | None
    findings: tuple[Finding, ...]
    abstains: str | None
    trials: tuple[Trial, ...]
    skipped: tuple[str, ...]
    importance: tuple[tuple[str, float], ...]
    seconds: float
    fit_seconds: float
    rows: int
    groups: tuple[str, ...]
    intervals: Intervals | None = None
    coverage: float | None = None
    probability: Probability | Temperature | None = None
    alarm: Alarm | None = None
    usual: Usual | None = None
    evidence: Evidence | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.like.classes

    def features(self, table: Table) -> tuple[Data, NDArray[np.float32]]:
        """The rows of a table in the model's order, and their features [n, f]."""
        data = read(table, self.roles, self.like)
        return data, features_of(self.spec, data)

    def predict(self, table: Table) -> Prediction:
        """Judge the rows of a table that has the columns of the roles; no target is needed."""
        data, x = self.features(table)
        rows = len(next(iter(table.values())))
        if self.task == "novelty":
            return _novelty(self.model, data, x, rows)
        said = answer(self.model, known(x), self.like)
        return _class(self, said, data.row, rows) if self.task == "class" else _number(self, said, data.row, rows)

    def verdict(self) -> str:
        """Whether it may be used, in one sentence."""
        if self.abstains:
            return f"Abstains: {self.abstains}"
        if self.score is None or self.task == "novelty":
            return "Ready to watch: its alarms keep the stated rate on healthy rows that it had not seen."
        return (
            f"Beats the trivial rule ({self.score.rule}): {self.score.name} {self.score.value:.3g} against"
            f" {self.score.baseline:.3g}, better by at least {self.score.gain:.2g} with 95 % confidence."
        )

    def reasons(self, table: Table, row: int, most: int = 5) -> Sequence[tuple[str, float]]:
        """Which inputs make a row of the table unusual: their share of T2 and SPE, largest first."""
        if not isinstance(self.model, Novelty):
            raise LearnError("Only a model of the usual explains a row by T2 and SPE; see the card for importances.")
        data, x = self.features(table)
        where = int(np.flatnonzero(data.row == row)[0])
        t2, spe = self.model.contributions(x[where : where + 1])
        share = (np.maximum(t2[0], 0.0) / max(t2.clip(0).sum(), 1e-12) + spe[0] / max(spe.sum(), 1e-12)) / 2.0
        order = np.argsort(-share)[:most]
        return [
            (self.spec.remembered[i] if self.spec.remembered else self.spec.inputs[i], float(share[i])) for i in order
        ]


def _spread(values: NDArray[Any], row: NDArray[np.int64], rows: int) -> Floats:
    out = np.full((rows, *values.shape[1:]), np.nan)
    out[row] = values
    return out


def _novelty(model: Novelty, data: Data, x: NDArray[np.float32], rows: int) -> Prediction:
    value = _spread(model.smoothed(model.distance(x), data.unit), data.row, rows)
    nothing = np.full(rows, np.nan)
    return Prediction(value, nothing, nothing, np.empty((rows, 0)), value > model.threshold)


def _number(learned: Learned, said: Floats, row: NDArray[np.int64], rows: int) -> Prediction:
    low, high = learned.intervals.around(said) if learned.intervals else (said, said)
    value, low, high = (_spread(one, row, rows) for one in (said, low, high))
    return Prediction(value, low, high, np.empty((rows, 0)), np.zeros(rows, bool))


def _class(learned: Learned, said: Floats, row: NDArray[np.int64], rows: int) -> Prediction:
    said_honest = calibrated(learned.probability, said) if learned.probability else said
    raised = said[:, 1] > learned.alarm.threshold if learned.alarm else np.zeros(len(said), bool)
    value = said.argmax(axis=1).astype(np.float64)
    if learned.alarm:
        value = (said[:, 1] >= learned.alarm.best).astype(np.float64)
    nothing = np.full(rows, np.nan)
    alarms = np.zeros(rows, bool)
    alarms[row] = raised
    return Prediction(_spread(value, row, rows), nothing, nothing, _spread(said_honest, row, rows), alarms)
