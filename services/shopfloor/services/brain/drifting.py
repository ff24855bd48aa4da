"""How far what a version sees, and how well it keeps its word, is from what it was: to look at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from shopfloor.models.bundle import Bundle
from shopfloor.models.columns import DAY, MINUTE
from shopfloor.models.drift import CoverageAlarm, Shift, psi
from shopfloor.models.features import Matrix
from shopfloor.plant.counted import counted
from shopfloor.services.brain.cards import KNOWN, opened
from shopfloor.services.brain.recent import STEP, Floats, Recent
from shopfloor.services.registry import Refused, Registry, Version
from shopfloor.services.registry.gate import misses
from shopfloor.services.registry.words import EVERYWHERE

SOME: Final = 0.1
MUCH: Final = 0.2
"""What is commonly called some and much of a population stability index."""
LEAST: Final = 200
QUIET: Final = DAY // STEP
"""Steps that say what is usual for the test for shifted means."""
_BETWEEN: Final = 30 * DAY // STEP
_SURE: Final = 1_000.0


@dataclass(slots=True, eq=False)
class Drifting:
    """Answers `of`, from any thread; an answer is kept for a minute."""

    registry: Registry
    recent: Recent
    now: Callable[[], int]
    _told: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, name: str, number: int) -> dict[str, Any]:
        """The drift of a version; times are epoch ms. What cannot be opened raises `Refused`."""
        version = self.registry.state.version(name, number)
        with self._lock:
            known = self._told.get(version.sha)
            if known is None or not 0 <= self.now() - known[0] < MINUTE:
                known = self._told[version.sha] = (self.now(), self._look(version))
        return known[1]

    def _look(self, version: Version) -> dict[str, Any]:
        if fault := self.registry.bundles.fault(version.sha):
            raise Refused(fault)
        bundle = opened(self.registry.bundles.at(version.sha), version.card.target)
        rows, means, ends, since = self.recent.of(source_of(bundle))
        features = _features(bundle, rows, means, ends)
        return {
            "name": version.name,
            "number": version.number,
            "time": self.now() / 1e6,
            "sentence": _sentence(bundle, len(rows), features),
            "rows": len(rows),
            "since": since / 1e6 if since else None,
            "some": SOME,
            "much": MUCH,
            "steps": max(len(means) - QUIET, 0),
            "steps_missing": max(QUIET - len(means), 0),
            "features": features,
            "coverage": self._coverage(version),
        }

    def _coverage(self, version: Version) -> dict[str, Any] | None:
        """Whether truths fall outside the interval more often than promised; None where no interval was judged."""
        missed = misses(version.card, self.registry.scores.labelled(version.name, version.number, None, EVERYWHERE))
        if not len(missed):
            return None
        alarm = CoverageAlarm(1.0 - version.card.coverage, _SURE)
        raised = alarm.update_all(missed)
        stake = float(alarm.wealth.sum()) if alarm.wealth is not None else 1.0
        measured = float(1.0 - missed.mean())
        return {
            "windows": len(missed), "measured": measured, "nominal": version.card.coverage, "alarm": raised,
            "wealth": stake, "threshold": _SURE,
        }  # fmt: skip


def source_of(bundle: Bundle) -> str:
    """The way in which a bundle wants assets described, as `Recent` is told it."""
    card = bundle.manifest
    return KNOWN.get(card.target, card.spec_sha)


def _features(bundle: Bundle, rows: Matrix, means: Floats, ends: Sequence[int]) -> list[dict[str, Any]]:
    """Each feature, the most changed first."""
    kept, names = bundle.arrays, bundle.manifest.features
    if "drift edges" not in kept or len(rows) < LEAST or rows.shape[1] != len(names):
        return []
    index = psi({key: kept[key] for key in ("drift edges", "drift shares")}, rows)
    level, moved = _shift(means, ends)
    return [
        {
            "name": names[i], "psi": round(float(index[i]), 4), "level": level[i] if level else None,
            "moved": moved[i] if moved else None,
        }
        for i in np.argsort(-index).tolist()
    ]  # fmt: skip


def _shift(means: Floats, ends: Sequence[int]) -> tuple[list[float], list[float | None]]:
    """Of each feature how near Page's test is to its threshold (1), and when it last said that the mean moved."""
    if len(means) <= QUIET:
        return [], []
    whole = ~np.isnan(means).any(axis=0) & (means[:QUIET].std(axis=0) > 0.0)
    test = Shift.calibrated(means[:QUIET][:, whole], float(_BETWEEN * max(int(whole.sum()), 1)))
    last = np.full(means.shape[1], np.nan)
    columns = np.flatnonzero(whole)
    for row, end in zip(means[QUIET:, whole], ends[QUIET:], strict=True):
        last[columns[test.update(row)]] = end / 1e6
    level = np.zeros(means.shape[1])
    level[columns] = np.maximum(test.up, test.down) / test.threshold
    return np.round(level, 3).tolist(), [None if np.isnan(t) else t for t in last.tolist()]


def _sentence(bundle: Bundle, rows: int, features: Sequence[dict[str, Any]]) -> str:
    if "drift edges" not in bundle.arrays:
        return "The bundle does not say what its features looked like in training."
    if not features:
        return f"{counted(rows, 'window')} of {LEAST} that are needed to compare with training."
    much = sum(one["psi"] > MUCH for one in features)
    moved = sum(one["moved"] is not None for one in features)
    said = f"{much} of {counted(len(features), 'feature')} look much different from training"
    return f"{said}, the mean of {moved} has moved." if moved else f"{said}."
