"""Live judging: follow every line, describe what is new, ask each model once, keep the answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import isnan
from typing import Any, Final

import numpy as np
from shopfloor.models.bins import Bins
from shopfloor.models.columns import MINUTE
from shopfloor.models.features import BINS_SEEN, COARSE, FINE, MEMORY, Matrix, padded, part_features, pot_features
from shopfloor.models.inputs import TARGETS
from shopfloor.services.brain.advise import Window
from shopfloor.services.brain.cards import name_of
from shopfloor.services.brain.diary import Diary, Row
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.follow import Machines, Pots, advance, newest
from shopfloor.services.brain.judge import unknown
from shopfloor.services.brain.recent import Recent
from shopfloor.services.brain.serving import Opened, Serving
from shopfloor.services.brain.speak import NOTHING, Described, Looked, speak
from shopfloor.services.brain.truths import Truths, part_key
from shopfloor.services.registry import Prediction as Scored
from shopfloor.services.registry.scores import Scores

Prediction = dict[str, Any]
_SILENT: Final = MINUTE
_MOST_CHUNKS: Final = 40
_DIARY: Final = {"machine-tool": 0, "reduction-pot": 2 * MINUTE}


@dataclass(slots=True, eq=False)
class Live:
    """Judges the assets of all lines; `predictions` may be read from any thread."""

    reader: HistoryReader
    lines: Sequence[Machines | Pots]
    serving: Serving
    diary: Diary
    now: Callable[[], int]
    record: Scores | None = None
    recent: Recent = field(default_factory=Recent)
    said: dict[tuple[str, str], Prediction] = field(default_factory=dict)
    _windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    _spoken: dict[tuple[str, str], float] = field(default_factory=dict)
    _truths: dict[int, Truths] = field(default_factory=dict)
    _scored: list[Scored] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def predictions(self, asset: str | None = None) -> list[Prediction]:
        """The newest prediction of every target of an asset (or of all)."""
        with self._lock:
            return [dict(p) for (path, _), p in self.said.items() if asset is None or path == asset]

    def window(self, asset: str, target: str) -> Window | None:
        """What the newest prediction of a target was made of; None when there is none, or when it is withdrawn."""
        with self._lock:
            return self._windows.get((asset, target))

    def tick(self, stop: Callable[[], bool] = lambda: False) -> list[Prediction]:
        """Go on to the newest data; answers the predictions that changed."""
        changed: list[Prediction] = []
        for line in self.lines:
            seen = newest(self.reader, line.assets)
            frontier = max(seen.values(), default=0)
            for _ in range(_MOST_CHUNKS):
                if stop() or not frontier or not advance(line, self.reader, frontier):
                    break
            changed += self._judged(line) + self._silent(line, seen)
        self._keep(changed)
        return changed

    def _judged(self, line: Machines | Pots) -> list[Prediction]:
        if self.record is not None:
            self.record.label(self._truths.setdefault(id(line), Truths()).of(line, self.now()))
        what = described(line)
        self.recent.take(line.assets[0].type, what.assets, what.times, what.x)
        found: list[Prediction] = []
        for target in TARGETS[line.assets[0].type]:
            for group in self.serving.groups(target, what.assets):
                mine = what.take(group.rows)
                entries, rows = speak(group, mine)
                self._note(group.live, target, mine, entries)
                found += entries
                self._scored += rows
        return found

    def _note(self, live: Opened, target: str, mine: Described, entries: Sequence[Prediction]) -> None:
        """Keep what the newest predictions were made of."""
        with self._lock:
            for i, (asset, entry) in enumerate(zip(mine.assets, entries, strict=True)):
                self._windows.pop((asset, target), None)
                if entry["value"] is not None:
                    self._windows[(asset, target)] = Window(live, asset, mine.x[i], mine.times[i])

    def _silent(self, line: Machines | Pots, seen: Mapping[str, int]) -> list[Prediction]:
        """Assets whose data stopped: their numbers are withdrawn."""
        found = []
        for asset in map(str, (a.path for a in line.assets)):
            newest_time = seen.get(asset, 0)
            if self.now() - newest_time <= _SILENT:
                continue
            since = f"for {(self.now() - newest_time) / MINUTE:.0f} minutes" if newest_time else "yet"
            known = [g.live for t in TARGETS[line.assets[0].type] for g in self.serving.groups(t, [asset])]
            found += [unknown(one.bundle, asset, f"No data {since}.", newest_time / 1e6) for one in known]
        return found

    def _keep(self, changed: Sequence[Prediction]) -> None:
        with self._lock:
            for entry in changed:
                key = (entry["asset"], entry["target"])
                self.said[key] = entry
                if entry["value"] is None:
                    self._windows.pop(key, None)
        noted = [entry for entry in changed if self._worth_noting(entry)]
        if noted:
            self.diary.write([self._row(entry) for entry in noted], self.now())
        self._keep_scores({(name_of(entry["target"]), entry["asset"], round(entry["time"] * 1e6)) for entry in noted})

    def _keep_scores(self, noted: Set[tuple[str, str, int]]) -> None:
        """Record what every version said of the windows that were noted, and every failure."""
        scored, self._scored = self._scored, []
        if self.record is None:
            return
        kept = [row for row in scored if row.value is None or isnan(row.value) or _window(row) in noted]
        if kept:
            self.record.write(kept)

    def _worth_noting(self, entry: Prediction) -> bool:
        key = (entry["asset"], entry["target"])
        kind = "machine-tool" if entry["target"] in TARGETS["machine-tool"] else "reduction-pot"
        if entry["value"] is None or entry["time"] < self._spoken.get(key, 0.0) + max(_DIARY[kind] / 1e6, 1e-3):
            return False
        self._spoken[key] = entry["time"]
        return True

    def _row(self, entry: Prediction) -> Row:
        time = round(entry["time"] * 1e6)
        return entry["asset"], entry["target"], time, entry["value"], entry["low"], entry["high"]


def _window(row: Scored) -> tuple[str, str, int]:
    """What a recorded score is about; to the microsecond, as predictions tell it."""
    return row.name, row.asset, round(row.window_end / 1e6 * 1e6)


def described(line: Machines | Pots) -> Described:
    """Assets with something new, and what there is to say about it."""
    if isinstance(line, Machines):
        return _machines(line)
    if not line.fresh or line.bins is None or not len(line.bins):
        return NOTHING
    line.fresh = False
    return _pots(line.bins)


def _machines(line: Machines) -> Described:
    """Every new part, those of a machine in order: the last one is what holds."""
    names: list[str] = []
    blocks: list[Matrix] = []
    times: list[int] = []
    keys: list[str] = []
    looked: list[Looked] = []
    for asset, count in sorted(line.fresh.items()):
        known = line.finished[asset]
        rows = np.arange(max(len(known) - count, 0), len(known))
        names += [asset] * len(rows)
        blocks.append(part_features(known, rows))
        times += known.end[rows].tolist()
        keys += [part_key(int(known.part[row]), int(known.end[row])) for row in rows]
        looked += [(int(known.end[max(row - MEMORY + 1, 0)]), min(row + 1, MEMORY)) for row in rows.tolist()]
    line.fresh.clear()
    return Described(names, np.concatenate(blocks), times, keys, looked) if blocks else NOTHING


def _pots(bins: Bins) -> Described:
    x = pot_features(padded(bins.values, len(bins), FINE), padded(bins.blocks()[1], len(bins.blocks()[0]), COARSE))
    known = np.flatnonzero(~np.isnan(x[:, 0]))
    size, n = min(len(bins), BINS_SEEN), len(known)
    looked = [(int(bins.time[-size]), size)] * n
    return Described([bins.pots[i] for i in known], x[known], [int(bins.time[-1])] * n, [""] * n, looked)
