"""What turned out to be true: labels for past windows, as probes, tool changes and anode effects come in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from shopfloor.models.bins import BIN, HORIZON, effects
from shopfloor.models.columns import MINUTE, SECOND
from shopfloor.models.parts import NO_PARTS, TOLERANCE, Parts, label, probes, remaining
from shopfloor.services.brain.follow import Machines, Pots
from shopfloor.services.registry import Label

_EVERY: Final = 10 * MINUTE


def part_key(part: int, end: int) -> str:
    """What a part and its windows are joined by: its id, and the second it was finished, for ids come again.

    >>> part_key(17, 5_000_000_000)
    '17@5'
    """
    return f"{part}@{end // SECOND}"


@dataclass(slots=True)
class Truths:
    """Finds the truths of one line; ask after it was followed and before its fresh parts are judged."""

    _probed: set[tuple[str, str]] = field(default_factory=set)
    _upto: int = 0

    def of(self, line: Machines | Pots, now: int) -> list[Label]:
        """The labels that have become known, `now` (UTC ns)."""
        if isinstance(line, Pots):
            return list(self._effects(line, now))
        found: list[Label] = []
        for asset, count in line.fresh.items():
            parts = line.finished.get(asset, NO_PARTS)
            if len(parts):
                found += self._dimensions(line, asset, parts, now)
                found += _lives(asset, parts, count, now)
        return found

    def _dimensions(self, line: Machines, asset: str, parts: Parts, now: int) -> Iterator[Label]:
        tags = line.columns.get(asset, {})
        measured = label(parts, probes(tags))
        for row in np.flatnonzero(~np.isnan(measured)).tolist():
            key, value = part_key(int(parts.part[row]), int(parts.end[row])), float(measured[row])
            if (asset, key) in self._probed:
                continue
            self._probed.add((asset, key))
            out = float(abs(value) > TOLERANCE)
            yield Label("dimension", asset, value, value, now, key)
            yield Label("out-of-tolerance", asset, out, out, now, key)

    def _effects(self, line: Pots, now: int) -> Iterator[Label]:
        """For stretches that lie a horizon back: whether an anode effect came within it. One label per stretch."""
        bins = line.bins
        if bins is None or not len(bins) or bins.time[-1] - HORIZON < self._upto + _EVERY:
            return
        first = max(self._upto, int(bins.time[0]))
        rows = np.flatnonzero((bins.time > first) & (bins.time <= bins.time[-1] - HORIZON))
        busy, until = effects(bins)
        soon = until <= HORIZON / MINUTE
        self._upto = int(bins.time[-1] - HORIZON)
        for pot, asset in enumerate(bins.pots):
            known = rows[~busy[rows, pot] & ~np.isnan(bins.values[rows, pot, 0])]
            if not len(known):
                continue
            cuts = np.flatnonzero((np.diff(known) > 1) | (np.diff(soon[known, pot].astype(int)) != 0)) + 1
            for stretch in np.split(known, cuts):
                came = float(soon[stretch[0], pot])
                start, end = int(bins.time[stretch[0]]) - BIN + 1, int(bins.time[stretch[-1]])
                yield Label("anode-effect", asset, came, came, now, start=start, end=end)


def _lives(asset: str, parts: Parts, fresh: int, now: int) -> Iterator[Label]:
    """Cutting minutes to the tool's change: exact for a tool just changed, at least what it has cut for one in use."""
    minutes, seen, run = remaining(parts)
    since = max(len(parts) - fresh - 1, 0)
    for row in np.flatnonzero(run >= run[since]).tolist():
        least = float(minutes[row])
        if not math.isfinite(least):
            continue
        most = least if seen[row] else math.inf
        key = part_key(int(parts.part[row]), int(parts.end[row]))
        yield Label("tool-life", asset, least, most, now, key)
