"""The split is chosen by rule and told: what a score means depends on it more than on the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.learn.data import Data
from shopfloor.models.learn.roles import LearnError, Roles
from shopfloor.models.learn.twins import families, twins
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
Rule = Literal["group", "time", "rows"]

FOLDS: Final = 5
_EMBARGO: Final = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Folds of (rows to learn from, rows to be scored on), the rule in words, the block of each row [n]."""

    rule: Rule
    folds: tuple[Fold, ...]
    sentence: str
    block: NDArray[np.int64]

    @property
    def blocks(self) -> int:
        """How many independent pieces the score rests on."""
        return len(np.unique(self.block))


def choose(data: Data, roles: Roles, folds: int = FOLDS, seed: int = 0) -> Split:
    """Grouped by asset or run; else blocks of time with an embargo; random rows only when rows are independent."""
    groups = len(np.unique(data.group))
    if data.groups and groups >= 2 and not lives_alone(data):
        return _grouped(data, min(folds, groups), roles)
    if roles.independent and not data.groups:
        return _by_rows(data, folds, seed)
    if roles.time is None and not data.groups:
        raise LearnError(
            "Nothing says how rows belong together, so no honest score is possible: name an asset, a run or a time, or"
            " say that the rows are independent."
        )
    return _by_time(data, folds)


def random_rows(data: Data, folds: int = 3, seed: int = 1) -> tuple[Fold, ...]:
    """Rows at random: what a notebook would do; only ever shown beside the honest score."""
    if data.task == "class":
        return _folds(StratifiedKFold(folds, shuffle=True, random_state=seed), data, data.target)
    return _folds(KFold(folds, shuffle=True, random_state=seed), data)


def lives_alone(data: Data) -> bool:
    """Whether a class is seen in one group only: leaving that group out leaves nothing to learn it from."""
    if data.task != "class" or not data.groups:
        return False
    pairs = np.unique(np.stack([data.target.astype(np.int64), data.group]), axis=1)
    return bool((np.bincount(pairs[0])[np.unique(pairs[0])] < 2).any())


def _folds(splitter: Any, data: Data, *arguments: Any) -> tuple[Fold, ...]:
    return tuple(splitter.split(np.zeros(len(data)), *arguments))


def _grouped(data: Data, folds: int, roles: Roles) -> Split:
    kind = roles.asset or roles.run
    group = families(data)
    count = len(np.unique(group))
    group = group if count > 1 else data.group
    if data.task == "class":
        pairs = np.unique(np.stack([data.target.astype(np.int64), group]), axis=1)
        folds = max(2, min(folds, int(np.bincount(pairs[0])[np.unique(pairs[0])].min())))
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    else:
        splitter = GroupKFold(min(folds, max(count, 2)))
    found = _folds(splitter, data, data.target if data.task == "class" else None, group)
    sentence = f"{len(found)} folds grouped by {kind}: each of the {count} is scored by models that never saw it."
    return Split("group", found, sentence, group)


def _by_rows(data: Data, folds: int, seed: int) -> Split:
    if data.task == "class":
        folds = max(2, min(folds, int(np.bincount(data.target.astype(np.int64)).min())))
        found = _folds(StratifiedKFold(folds, shuffle=True, random_state=seed), data, data.target)
    else:
        found = _folds(KFold(folds, shuffle=True, random_state=seed), data)
    sentence = f"{folds} folds of rows at random, because the rows were declared independent."
    twin = twins(data)
    return Split("rows", _together(found, twin), sentence, twin)


def _together(folds: tuple[Fold, ...], twin: NDArray[np.int64]) -> tuple[Fold, ...]:
    """The folds, where each row went to that of the first row like it."""
    place = np.empty(len(twin), np.int64)
    for k, (_, scored) in enumerate(folds):
        place[scored] = k
    place = place[twin]
    return tuple((np.flatnonzero(place != k), np.flatnonzero(place == k)) for k in range(len(folds)))


def _by_time(data: Data, folds: int) -> Split:
    """Blocks of time within each unit; rows near the block's ends teach nothing: they would know what is in it."""
    piece, embargoed = _pieces(data, folds)
    found = []
    for k in range(folds):
        scored = piece == k
        learned = ~scored & ~embargoed[:, k]
        found.append((np.flatnonzero(learned), np.flatnonzero(scored)))
    alone = " (grouped folds would leave out whole classes)" if lives_alone(data) else ""
    sentence = f"{folds} blocks of time with an embargo of {_EMBARGO:.0%} around each{alone}."
    block = np.unique(np.stack([data.unit, piece * 8 + _within(data, folds)]), axis=1, return_inverse=True)[1]
    return Split("time", tuple(found), sentence, block.reshape(-1))


def _pieces(data: Data, folds: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    share = _share(data)
    piece = np.minimum((share * folds).astype(np.int64), folds - 1)
    edge = np.arange(folds) / folds
    embargoed = (share[:, None] > edge - _EMBARGO) & (share[:, None] < edge + 1.0 / folds + _EMBARGO)
    return piece, embargoed


def _within(data: Data, folds: int) -> NDArray[np.int64]:
    """Eighths of a block: what is resampled for the confidence of a score."""
    return np.minimum(((_share(data) * folds % 1.0) * 8).astype(np.int64), 7)


def _share(data: Data) -> NDArray[np.float64]:
    """How far through its unit a row is, 0 to 1 by rank."""
    code, count = np.unique(data.unit, return_inverse=True, return_counts=True)[1:]
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    share: NDArray[np.float64] = (np.arange(len(data)) - start[code]) / count[code]
    return share
