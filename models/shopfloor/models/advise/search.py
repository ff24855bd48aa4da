"""The search behind advice.

Candidates are Sobol points, those of every set of controls for themselves, in three rounds: everywhere, then between
the row and the nearest candidate that helps. They stay inside the limits and inside the hull of the data.

A search finds a model's errors as gladly as the truth (the optimiser's curse). So a candidate is judged by the end of
its interval, and the one that is promised also by its neighbours, near in its settings and in all other features: the
worst of them is what is promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.advise.hull import Guard
from shopfloor.models.advise.terms import Change, Control, Found, Goal, NoneFound
from shopfloor.models.features import Matrix
from shopfloor.models.scorer import score
from shopfloor.models.sealing.opened import Bundle

Floats = NDArray[np.float64]
_BUDGETS: Final = (256, 128, 128)
_FINALISTS: Final = 8
_AROUND: Final = 0.05
"""How far neighbours lie in their settings, in shares of the range."""
_SHAKEN: Final = 0.25
"""And in all other features, in standard deviations."""
_SHAKES: Final = 8
_MOST_TOGETHER: Final = 2
_ALL_SUBSETS: Final = 4


@dataclass(slots=True, eq=False)
class _Box:
    """A set of k controls: where to look for settings next [k], and which were found inside the hull [n, k].

    `missed` and `moved` [n]: by how much each setting misses the goal, and how far it is from what is set now.
    """

    which: list[int]
    guard: Guard
    low: Floats
    high: Floats
    settings: Floats
    missed: Floats
    moved: Floats

    @property
    def helps(self) -> NDArray[np.bool_]:
        """Which settings reach the goal [n]."""
        return np.asarray(self.missed == 0.0)


class Search:
    """One search for one row [f]."""

    def __init__(self, bundle: Bundle, row: Matrix, controls: Sequence[Control], goal: Goal) -> None:
        self._bundle, self._row, self._controls, self._goal = bundle, row, controls, goal
        self._low = np.array([c.low for c in controls])
        self._high = np.array([c.high for c in controls])
        self._step = np.array([c.step for c in controls])
        self._now = np.array([float(row[c.columns[0]]) for c in controls])
        self._tried = 0
        self._least = np.inf

    def run(self) -> Found | NoneFound:
        """Look, zoom, and promise the best."""
        boxes = [self._whole(list(which)) for which in _subsets(len(self._controls))]
        for budget in _BUDGETS if boxes else ():
            self._look(boxes, budget // len(boxes))
            fewest = min((len(box.which) for box in boxes if box.helps.any()), default=len(self._controls))
            boxes = [box for box in boxes if len(box.which) <= fewest or box.helps.any()]
            for box in boxes:
                self._zoom(box)
        return self._best(boxes) or NoneFound(self._tried, float(self._least))

    def _whole(self, which: list[int]) -> _Box:
        columns = [column for i in which for column in self._controls[i].columns]
        guard = Guard.of(self._bundle.arrays, self._row, columns)
        nothing = np.empty(0)
        return _Box(which, guard, self._low[which], self._high[which], np.empty((0, len(which))), nothing, nothing)

    def _look(self, boxes: Sequence[_Box], count: int) -> None:
        """Try new settings in every box; the model is asked once."""
        several = [self._points(box, count) for box in boxes]
        rows = [self._rows(box, settings) for box, settings in zip(boxes, several, strict=True)]
        held = [box.guard.holds(x) for box, x in zip(boxes, rows, strict=True)]
        missed = self._goal.missed(*self._judged([x[mask] for x, mask in zip(rows, held, strict=True)]))
        ends = np.cumsum([int(mask.sum()) for mask in held])
        for box, settings, mask, end in zip(boxes, several, held, ends, strict=True):
            box.settings = np.concatenate([box.settings, settings[mask]])
            box.missed = np.concatenate([box.missed, missed[end - mask.sum() : end]])
            away = np.abs(box.settings - self._now[box.which]) / self._span(box)
            box.moved = away.sum(axis=1)
        self._least = min(self._least, float(missed.min(initial=np.inf)))

    def _span(self, box: _Box) -> Floats:
        return np.asarray(self._high[box.which] - self._low[box.which])

    def _points(self, box: _Box, count: int) -> Floats:
        points = box.low + _sobol(len(box.which), max(count, 4)) * (box.high - box.low)
        return np.unique(self._rounded(box, points), axis=0)

    def _rounded(self, box: _Box, settings: Floats) -> Floats:
        """To whole steps of each control, inwards at its limits."""
        low, high, step = self._low[box.which], self._high[box.which], self._step[box.which]
        whole = np.where(step > 0.0, step, 1.0)
        stepped = np.clip(np.round(settings / whole), np.ceil(low / whole), np.floor(high / whole)) * whole
        return np.where(step > 0.0, stepped, np.clip(settings, low, high))

    def _rows(self, box: _Box, settings: Floats) -> Matrix:
        """The row with each of the settings [n, k]: [n, f]."""
        x = np.repeat(self._row[None], len(settings), axis=0)
        for k, i in enumerate(box.which):
            first, *others = self._controls[i].columns
            x[:, first] = settings[:, k]
            x[:, others] += (settings[:, k] - self._now[i])[:, None].astype(np.float32)
        return x

    def _judged(self, rows: Sequence[Matrix]) -> tuple[Floats, Floats]:
        """Low and high of the intervals of all rows."""
        said = score(self._bundle, np.concatenate(rows))
        self._tried += len(said.value)
        return said.low, said.high

    def _zoom(self, box: _Box) -> None:
        """Between here and the nearest setting that helps; where none does, around the one that misses least."""
        if not len(box.missed):
            return
        if box.helps.any():
            near, now = box.settings[box.helps][np.argmin(box.moved[box.helps])], self._now[box.which]
            beyond = _AROUND * self._span(box)
            low, high = np.minimum(now, near - beyond), np.maximum(now, near + beyond)
        else:
            best, half = box.settings[np.argmin(box.missed)], (box.high - box.low) / 4.0
            low, high = best - half, best + half
        limits = self._low[box.which], self._high[box.which]
        box.low, box.high = np.clip(low, *limits), np.clip(high, *limits)

    def _best(self, boxes: Sequence[_Box]) -> Found | None:
        """Of the settings whose neighbours help as well, that with the fewest and then the smallest changes."""
        found: list[tuple[int, float, Found]] = []
        for box in sorted(boxes, key=lambda one: len(one.which)):
            if found and len(box.which) > found[0][0]:
                break
            found += self._promised(box)
        return min(found, key=lambda one: one[:2])[2] if found else None

    def _promised(self, box: _Box) -> Iterator[tuple[int, float, Found]]:
        """The nearest setting of a box that may be promised: number of changes, their size, the promise."""
        finalists = _finalists(box)
        if not finalists:
            return
        several = [self._neighbours(box, box.settings[i]) for i in finalists]
        low, high = self._judged(several)
        missed = self._goal.missed(low, high)
        end = 0
        for i, rows in zip(finalists, several, strict=True):
            begin, end = end, end + len(rows)
            if not missed[begin:end].any():
                changes = tuple(map(self._change, box.which, box.settings[i].tolist()))
                worst = Found(changes, float(low[begin:end].min()), float(high[begin:end].max()), self._tried)
                yield len(changes), float(box.moved[i]), worst
                return

    def _neighbours(self, box: _Box, settings: Floats) -> Matrix:
        """A setting's row, and those around it that are inside limits and hull: [n, f]."""
        around = np.diag(np.maximum(_AROUND * self._span(box), self._step[box.which]))
        near = np.concatenate([settings[None], settings + around, settings - around])
        rows = self._rows(box, self._rounded(box, near))
        shaken = np.repeat(rows[:1], _SHAKES, axis=0) + self._shakes(box)
        return np.concatenate([rows[box.guard.holds(rows)], shaken])

    def _shakes(self, box: _Box) -> Matrix:
        """Small changes of the features that nobody moves."""
        noise = np.random.default_rng(0).normal(0.0, _SHAKEN, (_SHAKES, len(self._row)))
        noise *= self._bundle.arrays["hull scale"]
        noise[:, box.guard.moved] = 0.0
        return noise.astype(np.float32)

    def _change(self, i: int, setting: float) -> Change:
        return Change(self._controls[i].tag, float(self._now[i]), setting)


def _finalists(box: _Box) -> list[int]:
    """Candidates that help, the nearest first, then ever farther ones."""
    helps = np.flatnonzero(box.helps)
    if not len(helps):
        return []
    order = helps[np.argsort(box.moved[helps], kind="stable")]
    spread = np.unique(np.linspace(0, len(order) - 1, _FINALISTS).astype(int))
    found: list[int] = order[spread].tolist()
    return found


def _subsets(count: int) -> Iterator[tuple[int, ...]]:
    """Every set of a few controls; of many those of one or two, and all together."""
    largest = count if count <= _ALL_SUBSETS else _MOST_TOGETHER
    for size in range(1, largest + 1):
        yield from combinations(range(count), size)
    if largest < count:
        yield tuple(range(count))


@cache
def _sobol(dimensions: int, count: int) -> Floats:
    """The first power of two of at most `count` Sobol points, scrambled: [n, dimensions]."""
    from scipy.stats import qmc

    points: Floats = qmc.Sobol(dimensions, rng=0).random_base2(int(np.log2(count)))
    return points
