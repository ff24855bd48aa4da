"""Columns and rows that would make a score too good: each is named in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.data import Data
from shopfloor.models.learn.roles import LearnError, Roles
from shopfloor.models.learn.twins import families, same_rows, twins
from shopfloor.models.spec import refused
from shopfloor.models.spec.memory import Floats
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

_ALONE: Final = 0.98
_RARE: Final = 5.0
_LEAST: Final = 10
_LAGS: Final = 5
_SAMPLE: Final = 5000
_DUPLICATES: Final = 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must be known before a score is believed; `drop`: the column should not be an input."""

    kind: str
    column: str | None
    sentence: str
    drop: bool


def unusable(data: Data, roles: Roles) -> list[Finding]:
    """Inputs that must not enter a model: identifiers, constants, counters. One that was named as a sensor raises."""
    found = []
    for i, name in enumerate(data.inputs):
        if (finding := _unusable(data, roles, i)) is None:
            continue
        if name in roles.sensors:
            raise LearnError(f"{finding.sentence} It was named as a sensor: leave it out.")
        found.append(finding)
    return found


def _unusable(data: Data, roles: Roles, column: int) -> Finding | None:
    name, values = data.inputs[column], data.values[:, column]
    texts = dict(data.levels).get(name)
    if texts and len(texts) > max(50, len(data) // 20):
        return Finding(
            "identifier", name, f"{name} holds {len(texts)} different texts: it names rows, left out.", drop=True
        )
    known = values[np.isfinite(values)]
    if not len(known) or np.all(known == known[0]):
        return Finding("constant", name, f"{name} never changes: left out.", drop=True)
    if texts or name in roles.settings:
        return None
    unit = np.zeros(len(data), np.int64) if not data.remembers else data.unit
    sentence = refused(name, values, unit)
    return Finding("counter", name, f"Left out: {sentence}", drop=True) if sentence else None


def leaks(data: Data) -> list[Finding]:
    """Columns that know the target, and rows that are on both sides of a split."""
    found = [finding for i in range(len(data.inputs)) if (finding := _knows_target(data, i))]
    found += _copies_of_target(data)
    return found + _duplicates(data)


def _knows_target(data: Data, column: int) -> Finding | None:
    name, x = data.inputs[column], data.values[:, column]
    rows = np.linspace(0, len(data) - 1, min(len(data), _SAMPLE)).astype(int)
    if data.task == "class":
        if flag := _flag(name, x, data):
            return flag
        agreement = _alone(x[rows], data.target[rows])
    elif data.task == "number":
        agreement = _explains(x[rows], data.target[rows])
    else:
        return None
    if agreement < _ALONE:
        return None
    sentence = f"{name} alone tells {agreement:.1%} of the target: is it known before the target is?"
    return Finding("separates", name, sentence, drop=True)


def _flag(name: str, x: Floats, data: Data) -> Finding | None:
    """A flag that is only ever raised together with one rare class says what happened, it does not foresee it."""
    levels = np.unique(x[np.isfinite(x)])
    if not 2 <= len(levels) <= 3:
        return None
    for level in levels:
        there = data.target[x == level]
        share = np.bincount(there.astype(np.int64), minlength=len(data.classes)) / max(len(there), 1)
        usual = np.bincount(data.target.astype(np.int64), minlength=len(data.classes)) / len(data)
        top = int(share.argmax())
        if len(there) >= _LEAST and share[top] >= _ALONE and usual[top] * _RARE < share[top]:
            sentence = (
                f"{name} is {level:g} only where the target is {data.classes[top]} ({len(there)} rows): a flag of it."
            )
            return Finding("flag", name, sentence, drop=True)
    return None


def _alone(x: Floats, target: NDArray[Any]) -> float:
    """Balanced accuracy of a small tree on one column, out of fold."""
    if np.bincount(target.astype(np.int64))[np.unique(target).astype(np.int64)].min() < 3:
        return 0.0
    said = cross_val_predict(DecisionTreeClassifier(max_depth=4, class_weight="balanced"), x[:, None], target, cv=3)
    return float(balanced_accuracy_score(target, said))


def _explains(x: Floats, target: NDArray[Any]) -> float:
    """Explained share of the variance by a small tree on one column, out of fold."""
    said = cross_val_predict(DecisionTreeRegressor(max_depth=6, min_samples_leaf=3), x[:, None], target, cv=3)
    spread = float(np.var(target)) or 1.0
    return 1.0 - float(np.mean((said - target) ** 2)) / spread


def _copies_of_target(data: Data) -> list[Finding]:
    """Inputs that are the target of a row before or after."""
    if data.task != "number" or not data.remembers:
        return []
    found = []
    for i, name in enumerate(data.inputs):
        for lag in range(1, _LAGS + 1):
            for shift, when in ((lag, "before"), (-lag, "later")):
                if _same(data, data.values[:, i], shift):
                    sentence = f"{name} is the target {lag} rows {when}: a copy of it."
                    found.append(Finding("copy", name, sentence, drop=True))
                    break
    return list({finding.column: finding for finding in found}.values())


def _same(data: Data, x: Floats, shift: int) -> bool:
    moved = np.roll(data.target, shift)
    inside = np.roll(data.unit, shift) == data.unit
    inside[: max(shift, 0)] = False
    inside[len(x) + min(shift, 0) :] = False
    return bool(inside.sum() > _LEAST and np.mean(np.isclose(x[inside], moved[inside], rtol=1e-9)) > _ALONE)


def _duplicates(data: Data) -> list[Finding]:
    """Rows that are there twice in different groups: one of them would be learned, the other scored."""
    if data.task == "novelty":
        return []
    rows = same_rows(data)
    pairs = np.unique(np.stack([rows, data.group]), axis=1)
    shared = np.bincount(pairs[0]) > 1
    share = float(shared[rows].mean())
    if share < _DUPLICATES:
        return []
    where = "groups" if data.groups else "rows"
    sentence = f"{share:.1%} of the rows have the same values in other {where}; {_kept_together(data)}."
    return [Finding("duplicates", None, sentence, drop=False)]


def _kept_together(data: Data) -> str:
    """What the split does about rows that are there twice."""
    if data.groups:
        copies = len(np.unique(data.group)) - len(np.unique(families(data)))
        return f"{copies} copies of other groups stay in one fold with them" if copies else "no group is mostly a copy"
    few = np.array_equal(twins(data), np.arange(len(data)))
    return "the inputs have few values, so that they count as cases of their own" if few else "they stay in one fold"
