"""Windows of the past, judged by several models at once: read, describe, score, and what was true."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bins import AT, BIN, Bins
from shopfloor.models.columns import DAY, HOUR, MINUTE
from shopfloor.models.features import Matrix, part_features, pot_history
from shopfloor.models.scorer import Scores, score
from shopfloor.plant.asset import Asset
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.replay.past import Told, begin_of, machine_past, pot_stretches
from shopfloor.services.brain.replay.truth import Floats, Ints, Truth, of_machine, of_pots, told_since
from shopfloor.services.brain.serving import Opened
from shopfloor.services.brain.speak import FAILURES
from shopfloor.services.registry.scores import Label

_BLOCK: Final = 4096
_POTS_EVERY: Final = 2 * MINUTE
_MEMORY: Final = DAY + HOUR
Says = tuple[Floats, ...]
"""Value, low and high of n windows."""
Labels = Mapping[str, Sequence[Label]]


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows of one asset: their ends (UTC ns), what each model says of them, and what was true."""

    asset: str
    end: Ints
    said: tuple[Says, ...]
    truth: Truth


@dataclass(slots=True)
class Spent:
    """CPU seconds of this thread by kind of work, and the windows that were scored, once for each model."""

    reading: float = 0.0
    describing: float = 0.0
    scoring: float = 0.0
    windows: int = 0
    _since: float = field(default_factory=time.thread_time)

    def lap(self, kind: str) -> None:
        """The time since the lap before was this kind of work."""
        now = time.thread_time()
        setattr(self, kind, getattr(self, kind) + now - self._since)
        self._since = now


@dataclass(slots=True)
class Judge:
    """Asks every model about windows; a model that abstains or fails says nothing (NaN)."""

    models: Sequence[Opened]
    spent: Spent

    def of(self, x: Matrix) -> tuple[Says, ...]:
        """What each model says of rows of features [n, f]."""
        self.spent.lap("describing")
        said = tuple(self._said(one, x) for one in self.models)
        self.spent.lap("scoring")
        self.spent.windows += len(x) * len(self.models)
        return said

    def _said(self, one: Opened, x: Matrix) -> Says:
        if one.bundle.manifest.state != "ready" or not len(x):
            return _silence(len(x))
        try:
            found: Scores = score(one.bundle, x)
        except FAILURES:
            return _silence(len(x))
        return found.value, found.low, found.high


def _silence(n: int) -> Says:
    return tuple(np.full(n, np.nan) for _ in range(3))


def machine_windows(
    reader: HistoryReader, asset: Asset, span: tuple[int, int], judge: Judge, labels: Labels, told: Told
) -> Windows:
    """Every part that a machine finished in the span."""
    target = judge.models[0].bundle.manifest.target
    past = machine_past(reader, asset, begin_of(reader, asset, span[0]), span[1], told)
    judge.spent.lap("reading")
    rows = np.flatnonzero((past.parts.end >= span[0]) & (past.parts.end < span[1]))
    blocks = [judge.of(part_features(past.parts, rows[i : i + _BLOCK])) for i in range(0, len(rows), _BLOCK)]
    truth = _taken(of_machine(target, past), rows)
    name, end = str(asset.path), past.parts.end[rows]
    truth = told_since(truth, past.parts.take(rows), end, labels.get(name, ()))
    return Windows(name, end, _joined(blocks, judge), truth)


def pot_windows(
    reader: HistoryReader, line: Sequence[Asset], span: tuple[int, int], judge: Judge, labels: Labels, told: Told
) -> Iterator[Windows]:
    """Every second minute of every pot of a line in the span."""
    target = judge.models[0].bundle.manifest.target
    blocks, chosen, seen = [], [], []
    for bins, fresh in pot_stretches(reader, line, max(span[0] - _MEMORY, BIN), span[1], told):
        judge.spent.lap("reading")
        new = np.arange(len(bins) - fresh, len(bins))
        rows = new[(bins.time[new] >= span[0]) & (bins.time[new] < span[1])]
        seen.append(bins.take(slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)))
        rows = rows[bins.time[rows] % _POTS_EVERY == 0]
        x = pot_history(bins, rows)
        chosen.append(~np.isnan(x[:, :, 0]))
        blocks.append(judge.of(x.reshape(-1, x.shape[2])))
    yield from _by_pot(target, line, seen, chosen, _joined(blocks, judge), labels)


def _by_pot(
    target: str, line: Sequence[Asset], seen: Sequence[Bins], chosen: Sequence[NDArray[np.bool_]],
    said: tuple[Says, ...], labels: Labels,
) -> Iterator[Windows]:  # fmt: skip
    n = len(line)
    end = np.concatenate([b.time for b in seen])
    active = np.concatenate([b.values[:, :, AT["ANODE_EFFECT"]] > 0 for b in seen])
    spoke = np.concatenate([~np.isnan(b.values[:, :, 0]) for b in seen])
    every = np.flatnonzero(end % _POTS_EVERY == 0)
    truth, known = of_pots(target, active, spoke, end), np.concatenate(chosen)
    for pot, asset in enumerate(line):
        rows = np.flatnonzero(known[:, pot])
        at = every[rows]
        of_pot = told_since(_taken(truth, at * n + pot), None, end[at], labels.get(str(asset.path), ()))
        yield Windows(
            str(asset.path), end[at], tuple(tuple(c[rows * n + pot] for c in one) for one in said), of_pot
        )  # fmt: skip


def _taken(truth: Truth, rows: Ints) -> Truth:
    return Truth(*(getattr(truth, key)[rows] for key in ("low", "high", "due", "event", "when")))


def _joined(blocks: Sequence[tuple[Says, ...]], judge: Judge) -> tuple[Says, ...]:
    if not blocks:
        return tuple(_silence(0) for _ in judge.models)
    return tuple(
        tuple(np.concatenate([block[model][column] for block in blocks]) for column in range(3))
        for model in range(len(judge.models))
    )
