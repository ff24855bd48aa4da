"""Judge live by every uploaded bundle: one read for all streams that are due, one question to each version."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from shopfloor.models.columns import MINUTE
from shopfloor.models.streaming import Rows, good_columns
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.advise import Window
from shopfloor.services.brain.diary import Diary
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.judge import unknown
from shopfloor.services.brain.recent import Recent
from shopfloor.services.brain.streams.followed import Followed
from shopfloor.services.brain.streams.plan import Judged, Plan
from shopfloor.services.brain.streams.said import Said, say
from shopfloor.services.registry import Registry

log: Final = logging.getLogger(__name__)
_EVERY: Final = 0.5
_LOOK: Final = MINUTE
_BACK: Final = 60 * MINUTE
Told = Callable[[Sequence[Mapping[str, Any]]], None]
Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class Streams:
    """Runs in one thread; `predictions`, `window` and `left_out` may be asked from any."""

    reader: HistoryReader
    registry: Registry
    diary: Diary
    now: Callable[[], int]
    recent: Recent = field(default_factory=Recent)
    plan: Plan = field(init=False)
    said: dict[Key, dict[str, Any]] = field(default_factory=dict)
    _windows: dict[Key, Window] = field(default_factory=dict)
    _followed: dict[str, Followed] = field(default_factory=dict)
    _met: set[str] = field(default_factory=set)
    _lacking: dict[str, dict[str, str]] = field(default_factory=dict)
    _planned: tuple[Judged, ...] = ()
    _looked: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.plan = Plan(self.registry)

    def run(self, stop: threading.Event, told: Told, tend: Callable[[], None]) -> None:
        """Judge until `stop`; what the store refuses is tried again. `tend` looks after all models, once a minute."""
        tended, refused = self.now(), ""
        while not stop.wait(_EVERY):
            try:
                if changed := self.tick(stop.is_set):
                    told(changed)
                if self.now() - tended >= MINUTE:
                    tended = self.now()
                    tend()
                refused = ""
            except ShopfloorError as problem:
                if str(problem) != refused:
                    log.warning("Uploaded models wait: %s", problem)
                refused = str(problem)

    def predictions(self, asset: str | None = None) -> list[dict[str, Any]]:
        """The newest prediction of every target of an asset (or of all)."""
        with self._lock:
            return [dict(p) for (path, _), p in self.said.items() if asset is None or path == asset]

    def window(self, asset: str, target: str) -> Window | None:
        """What the newest prediction of a target was made of; None when there is none."""
        with self._lock:
            return self._windows.get((asset, target))

    def shown(self) -> list[Judged]:
        """Of every name the version that speaks for most assets; of one that is in its pilot the newest shadow."""
        ordered = sorted(self._planned, key=lambda one: (len(one.live), one.version.number))
        return list({one.version.name: one for one in ordered}.values())

    def left_out(self, name: str, number: int) -> list[dict[str, str]]:
        """Assets that have some of a version's tags but not all, each with the sentence that says which are missing."""
        mine = next((j for j in self._planned if (j.version.name, j.version.number) == (name, number)), None)
        lacking = self._lacking.get(mine.held.spec.sha, {}) if mine is not None else {}
        return [{"asset": a, "sentence": why} for a, why in sorted(lacking.items()) if mine and a in _assets(mine)]

    def tick(self, stop: Callable[[], bool] = lambda: False) -> list[dict[str, Any]]:
        """Judge every moment that is due; answers the predictions that changed."""
        judged, changed = self.plan.judged(), []
        if judged is not self._planned or self.now() - self._looked >= _LOOK:
            changed = self._look(judged)
        found = self._rows(stop)
        if stop():
            return []
        for one in judged:
            followed = self._followed[one.held.spec.sha]
            for rows in self._unjudged(one, followed, found.get(one.held.spec.sha)):
                changed += self._keep(one, say(one, followed, rows))
        return changed

    def _unjudged(self, one: Judged, followed: Followed, fresh: Rows | None) -> list[Rows]:
        """The rows that a version has to judge now: a new one begins with the newest moment that is recorded."""
        if one.version.sha in self._met:
            several = [] if fresh is None else [followed.unjudged(fresh)]
        else:
            earlier = followed.newest
            begins = earlier is not None and (fresh is None or earlier.time[0] < fresh.time[0])
            several = [rows for rows in (earlier if begins else None, fresh) if rows is not None]
        if several:
            self._met.add(one.version.sha)
        return [rows for rows in several if len(rows.time)]

    def _rows(self, stop: Callable[[], bool]) -> dict[str, Rows]:
        """The rows that are due, by the sha of their stream."""
        now = self.now()
        for followed in self._followed.values():
            if not stop():
                followed.prepare(self.reader, now, stop)
        due = {sha: f.due(now) for sha, f in self._followed.items() if f.running is not None}
        due = {sha: moments for sha, moments in due.items() if len(moments)}
        if not due or stop():
            return {}
        wanted = [self._followed[sha].wanted() for sha in due]
        asked, start = {tag for values in wanted for tag in values.tags()}, min(values.cursor for values in wanted)
        end = max(int(moments[-1]) for moments in due.values()) + 1
        columns = good_columns(self.reader.read(sorted(asked), start, end))
        found = {sha: self._followed[sha].take(columns, moments) for sha, moments in due.items()}
        for sha, rows in found.items():
            moment, place = np.nonzero(rows.known)
            assets = [self._followed[sha].assets[i] for i in place.tolist()]
            self.recent.take(sha, assets, rows.time[moment].tolist(), rows.x[moment, place])
        return found

    def _look(self, judged: tuple[Judged, ...]) -> list[dict[str, Any]]:
        """Who follows what, by the tags that the store knows; answers what is said of assets that lack some."""
        wanted: dict[str, set[str]] = {}
        for one in judged:
            wanted.setdefault(one.held.spec.sha, set()).update(_assets(one))
        specs = {one.held.spec.sha: one.held.spec for one in judged}
        asked = [f"{a}/{t}" for sha, assets in wanted.items() for a in assets for t in specs[sha].tags]
        known = set(self.reader.latest(asked).column("tag").cast(pa.string()).to_pylist()) if asked else set[str]()
        followed = {}
        for sha, assets in wanted.items():
            missing = {a: [t for t in specs[sha].tags if f"{a}/{t}" not in known] for a in assets}
            has = tuple(sorted(a for a, tags in missing.items() if not tags))
            self._lacking[sha] = {
                a: _lacks(tags) for a, tags in missing.items() if 0 < len(tags) < len(specs[sha].tags)
            }
            before = self._followed.get(sha)
            if before is None:
                followed[sha] = Followed(specs[sha], has, self._begin(sha, judged))
            else:
                followed[sha] = before if before.assets == has else before.widened(has, self.now())
        self._followed, self._planned, self._looked = followed, judged, self.now()
        return self._withdraw(judged)

    def _begin(self, sha: str, judged: Iterable[Judged]) -> int:
        """Where a stream goes on: after what was recorded of it in the last hour, else at its newest moment."""
        mine = [one for one in judged if one.held.spec.sha == sha]
        newest = [self.registry.scores.newest(one.version.name, one.version.number) for one in mine]
        fresh = Followed(mine[0].held.spec, (), 0).newest_due(self.now())
        return min(max([*(n + 1 for n in newest if n is not None and n > self.now() - _BACK)], default=fresh), fresh)

    def _withdraw(self, judged: Sequence[Judged]) -> list[dict[str, Any]]:
        """Take back what no version speaks of any more; say of assets that lack tags what they lack."""
        speaks = {(asset, one.held.bundle.manifest.target) for one in judged for asset in one.live}
        with self._lock:
            self.said = {key: entry for key, entry in self.said.items() if key in speaks}
            self._windows = {key: window for key, window in self._windows.items() if key in speaks}
        found = []
        for one in judged:
            for asset, why in self._lacking[one.held.spec.sha].items():
                if asset in one.live:
                    found.append({**unknown(one.held.bundle, asset, why), "version": one.version.number})
        with self._lock:
            self.said |= {(entry["asset"], entry["target"]): entry for entry in found}
        return found

    def _keep(self, one: Judged, said: Said) -> list[dict[str, Any]]:
        target = one.held.bundle.manifest.target
        with self._lock:
            for entry, window in zip(said.entries, said.windows, strict=True):
                key = (entry["asset"], target)
                self.said[key] = entry
                self._windows.pop(key, None)
                if window is not None:
                    self._windows[key] = window
        if said.noted:
            self.diary.write(said.noted, self.now())
        if said.scored:
            self.registry.scores.write(said.scored)
        return said.entries


def _assets(one: Judged) -> frozenset[str]:
    return one.live | one.shadow


def _lacks(tags: Sequence[str]) -> str:
    return f"The asset has no value of {', '.join(tags)} yet: the model needs it."
