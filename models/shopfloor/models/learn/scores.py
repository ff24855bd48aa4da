"""Scores, with the trivial rule beside them and the confidence that the number of independent pieces allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.evaluate import average_precision
from shopfloor.models.spec.memory import Floats

Rows = NDArray[np.int64]
Measure = Callable[[NDArray[Any], Floats], float]

_RESAMPLES: Final = 300
LEAST_GROUPS: Final = 20


@dataclass(frozen=True, slots=True)
class Score:
    """One honest number: `low` to `high` is its 90 % confidence interval over resampled pieces (assets, blocks, rows).

    `baseline` is what the trivial rule gets on the same rows, `gain` the lower bound of how much better it is (above 0:
    beaten), `random` what random rows would have claimed.
    """

    name: str
    value: float
    low: float
    high: float
    baseline: float
    rule: str
    gain: float
    higher: bool
    random: float | None = None

    @property
    def beats(self) -> bool:
        """Whether the trivial rule is beaten with confidence."""
        return self.gain > 0.0


def measure_of(task: str, classes: int) -> tuple[str, Measure, bool]:
    """The name of the score that counts, how it is measured, and whether higher is better."""
    if task != "class":
        return "RMSE", rmse, False
    return ("average precision", precision, True) if classes == 2 else ("accuracy", accuracy, True)


def rmse(said: NDArray[Any], truth: Floats) -> float:
    """Root mean square error, in the unit of the target.

    >>> rmse(np.array([1.0, 3.0]), np.array([1.0, 1.0])).__round__(3)
    1.414
    """
    return float(np.sqrt(np.mean((said - truth) ** 2)))


def precision(said: NDArray[Any], truth: Floats) -> float:
    """Average precision of the probability [n, 2] of the second class."""
    return average_precision(np.asarray(said[:, 1], np.float64), truth)


def accuracy(said: NDArray[Any], truth: Floats) -> float:
    """Share of rows whose most probable class [n, c] is theirs."""
    return float(np.mean(said.argmax(axis=1) == truth))


def f1(alarm: NDArray[np.bool_], truth: Floats) -> float:
    """Harmonic mean of precision and recall of the second class.

    >>> f1(np.array([True, True]), np.array([1.0, 0.0])).__round__(3)
    0.667
    """
    hits = float((alarm & (truth == 1)).sum())
    return 2.0 * hits / max(float(alarm.sum()) + float((truth == 1).sum()), 1.0)


def score(
    task: str, classes: int, said: NDArray[Any], trivial: NDArray[Any], truth: Floats, block: Rows, seed: int = 0
) -> Score:
    """The score of out-of-fold answers, its confidence by resampling whole blocks [n], and the trivial rule's."""
    name, measure, higher = measure_of(task, classes)
    sign = 1.0 if higher else -1.0
    rule = "always the mean" if task != "class" else "the usual share" if classes == 2 else "always the usual class"
    values, gains = [], []
    for rows in resampled(block, _RESAMPLES, seed):
        values.append(measure(said[rows], truth[rows]))
        gains.append(sign * (values[-1] - measure(trivial[rows], truth[rows])))
    low, high = np.quantile(values, [0.05, 0.95])
    return Score(
        name, measure(said, truth), float(low), float(high), measure(trivial, truth), rule,
        float(np.quantile(gains, 0.05)), higher,
    )  # fmt: skip


def resampled(block: Rows, times: int, seed: int = 0) -> list[Rows]:
    """Rows of blocks [n] drawn with replacement, so many times."""
    random = np.random.default_rng(seed)
    code, count = np.unique(block, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(code, kind="stable")
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    if len(count) == len(block):
        return [random.integers(0, len(block), len(block)) for _ in range(times)]
    draws = (random.integers(0, len(count), len(count)) for _ in range(times))
    return [np.concatenate([order[start[b] : start[b] + count[b]] for b in drawn]) for drawn in draws]


def trivial_answer(task: str, classes: int, target: Floats, rows: int) -> NDArray[Any]:
    """What the trivial rule says of `rows` rows after it saw `target`."""
    if task != "class":
        return np.full(rows, float(target.mean()))
    share = np.bincount(target.astype(np.int64), minlength=classes) / len(target)
    return np.tile(share, (rows, 1))
