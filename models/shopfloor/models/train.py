"""One training run: raw columns in, sealed bundles out.

Columns are reduced to part rows and pot bins as they come, one asset at a time, so that memory stays small.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models import bins, bundle, parts, train_parts, train_pots
from shopfloor.models.bins import Bins, Singles, pot_bins
from shopfloor.models.columns import Columns, Floats
from shopfloor.models.features import MEMORY
from shopfloor.models.features.window import DESCRIBE, part_windows, pot_windows
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.parts import Parts, Probes
from shopfloor.models.task import Progress, TooLittleHistory, Trained
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_LEAST_PROBES: Final = 300
_LEAST_POT_HOURS: Final = 18.0
_REMEMBERED_BINS: Final = 3000


@dataclass(slots=True)
class History:
    """What a training run learns from: parts of each machine, bins of each pot, in [start, end) UTC ns."""

    start: int
    end: int
    machines: dict[str, Parts] = field(default_factory=dict)
    probes: dict[str, Probes] = field(default_factory=dict)
    pots: dict[str, Singles] = field(default_factory=dict)

    def add(self, asset: str, kind: str, tags: Columns) -> None:
        """Take in all columns of one asset."""
        if kind == MACHINE:
            self.machines[asset] = parts.finished(tags, after=self.start)
            self.probes[asset] = parts.probes(tags)
        elif kind == POT:
            self.pots[asset] = pot_bins(tags, bins.clock(self.start, self.end))

    def potline(self) -> Bins:
        """All pots side by side."""
        names = tuple(sorted(self.pots))
        return Bins(bins.clock(self.start, self.end), names, np.stack([self.pots[name] for name in names], axis=1))

    def measured(self) -> int:
        """Probe results of all machines."""
        return sum(len(probes.part) for probes in self.probes.values())

    def pot_hours(self) -> float:
        """Hours in which any pot spoke."""
        if not self.pots:
            return 0.0
        spoke = np.any([~np.isnan(values).all(axis=1) for values in self.pots.values()], axis=0)
        return float(spoke.sum() * bins.BIN / 3.6e12)


def train(history: History, progress: Progress) -> list[Trained]:
    """All models that the history can teach, on one thread: others need the machine too.

    A history that can teach nothing raises `TooLittleHistory`.
    """
    with threadpool_limits(limits=1):
        return _trained(history, progress)


def _trained(history: History, progress: Progress) -> list[Trained]:
    now = time.time_ns()
    found: list[Trained] = []
    measured, hours = history.measured(), history.pot_hours()
    if measured < _LEAST_PROBES and hours < _LEAST_POT_HOURS:
        raise TooLittleHistory(
            f"The history holds {measured} measured parts and {hours:.0f} h of pots, too little to learn from: models"
            f" need {_LEAST_PROBES} measured parts or {_LEAST_POT_HOURS:.0f} h of pots; they are tried again later."
        )
    if measured >= _LEAST_PROBES:
        progress(0.0, "Learning the dimension of a part from its cut")
        learned = train_parts.dimension(history.machines, history.probes, now)
        progress(0.3, "Learning how long a tool lives")
        learned += train_parts.tool_life(history.machines, now)
        found += _proving(learned, part_windows(history.machines))
    if hours >= _LEAST_POT_HOURS:
        line = history.potline()
        try:
            found += _proving(_pots(line, now, progress), pot_windows(line))
        except TooLittleHistory:
            if not found:
                raise
    progress(1.0, "Models are ready")
    return found


def _proving(learned: Iterable[Trained], windows: Floats) -> list[Trained]:
    """Models with raw windows whose features are golden rows: opening a bundle proves the feature code."""
    return [_with_windows(model, windows) if len(windows) else model for model in learned]


def _with_windows(model: Trained, windows: Floats) -> Trained:
    described = DESCRIBE[model.manifest.asset_type](windows)
    golden = np.concatenate([model.arrays["golden"], described])
    return replace(model, arrays={**model.arrays, "golden": golden, "golden.window": windows})


def _pots(line: Bins, now: int, progress: Progress) -> list[Trained]:
    """What can be learned of a line of pots; what cannot is said while it goes on, and raised when that is all."""
    rows, busy, until = train_pots.moments(line, lambda f, s: progress(0.6 + 0.1 * f, s))
    found: list[Trained] = []
    problems: list[TooLittleHistory] = []
    for share, sentence, learn in _POT_TARGETS:
        progress(share, sentence)
        try:
            found += learn(rows, busy, until, now)
        except TooLittleHistory as problem:
            problems.append(problem)
            progress(share, str(problem))
    if not found:
        raise problems[0]
    return found


_POT_TARGETS: Final = (
    (0.75, "Learning what is unusual for a pot", train_pots.pot_unusual),
    (0.85, "Learning the signs of an anode effect", train_pots.anode_effect),
)


def seal(folder: Path, trained: Iterable[Trained]) -> list[str]:
    """Write each model as a bundle; answer their names."""
    names = []
    for model in trained:
        bundle.seal(folder / model.manifest.target, model.manifest, model.trees, model.arrays)
        names.append(model.manifest.target)
    return names


def remember(history: History) -> dict[str, NDArray[Any]]:
    """The recent past in plain arrays: live scoring goes on from here without reading the history again."""
    kept: dict[str, NDArray[Any]] = {"end": np.array([history.end], np.int64)}
    for name, rows in history.machines.items():
        recent = rows.take(slice(-MEMORY, None))
        kept |= {f"{name}|{key}": column for key, column in recent.arrays().items()}
    if history.pots:
        kept |= {
            f"potline|line|{k}": v for k, v in history.potline().take(slice(-_REMEMBERED_BINS, None)).arrays().items()
        }
    return kept
