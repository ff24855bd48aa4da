"""Splits that tell the truth: models are scored on assets they never saw, on days they never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import HOUR, Ints

FOLDS: Final = 4
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows by group of assets [n] and by time: `early` and `late` [n], with the embargo between them in neither."""

    group: Ints
    early: Mask
    late: Mask
    sentence: str

    def folds(self) -> Iterator[tuple[Mask, Mask]]:
        """For each group: the rows to learn from (other assets, early) and to be scored on (its assets, late)."""
        for k in np.unique(self.group):
            yield self.early & (self.group != k), self.late & (self.group == k)


def split(asset: Ints, time: Ints, what: str, *, share: float = 0.6, embargo: int = 2 * HOUR) -> Split:
    """Groups of assets and a cut in time. `asset` [n] counts 0, 1, ...; `time` [n] is UTC ns; `what` names the assets.

    >>> s = split(np.array([0, 1, 2, 3]), np.array([0, 10, 0, 10]) * HOUR, "pots")
    >>> s.early.tolist(), s.late.tolist()
    ([True, False, True, False], [False, True, False, True])
    """
    start, end = int(time.min()), int(time.max())
    cut = start + int((end - start) * share)
    folds = min(FOLDS, len(np.unique(asset)))
    late_hours = (end - cut - embargo) / HOUR
    sentence = (
        f"Scored on the last {_span(late_hours)}, for each quarter of the {what} by a model that had learned from the"
        f" other {what} before that ({_span((cut - start) / HOUR)}, then {embargo // HOUR} h apart); intervals and"
        f" probabilities were calibrated on other {what} than those scored. The model in use then learned from all."
    )
    return Split(asset % folds, time < cut, time >= cut + embargo, sentence)


def _span(hours: float) -> str:
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.0f} hours"


def out_of_fold(rows: Split, predict: Callable[[Mask, Mask], NDArray[Any]]) -> NDArray[np.float64]:
    """Predictions of the late rows by models that knew neither their asset nor their days; NaN elsewhere.

    `predict(learn, judge)` fits on the rows `learn` and answers for the rows `judge`.
    """
    said = np.full(len(rows.group), np.nan)
    for learn, judge in rows.folds():
        if learn.any() and judge.any():
            said[judge] = predict(learn, judge)
    return said


def others(rows: Split, judged: Mask, calibrate: Callable[[Mask, Mask], None]) -> None:
    """Call `calibrate(other assets' judged rows, this group's judged rows)` for each group."""
    for k in np.unique(rows.group):
        mine = judged & (rows.group == k)
        if mine.any() and (judged & ~mine).any():
            calibrate(judged & ~mine, mine)
