"""Maintenance at work: the outlook over all assets, work orders, and the record of past predictions."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import Reader
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.historian.options import DAY, NS
from shopfloor.services.maintenance.changes import Changes, Worn, worn
from shopfloor.services.maintenance.outlook import Ends, Outlook, kind_of, outlook, ranked
from shopfloor.services.maintenance.record import Level, Tally, by_asset, points, tally
from shopfloor.services.maintenance.work_orders import WorkOrders
from shopfloor.services.production import Production
from shopfloor.services.production.planned import Span
from shopfloor.services.registry import Card, Registry
from shopfloor.services.registry.scores import Labelled
from shopfloor.services.thinking import Thinking

_PACE: Final = 8 * 3_600 * NS
"""So far back it is looked how much of the time an asset runs."""
_FRESH: Final = 300 * NS
"""So long a share of running time is used again: it is one of eight hours."""
_IT_WAS_SO: Final = Level(above=0.5)


@dataclass(frozen=True, slots=True)
class Past:
    """What a version said of windows whose truth is known: counts by asset, and points to draw."""

    card: Card
    number: int
    level: Level
    assets: Mapping[str, Tally]
    points: Labelled


@dataclass(slots=True)
class Maintenance:
    """Any thread may ask. `orders` are the work orders."""

    orders: WorkOrders
    catalog: Catalog
    production: Production
    registry: Registry
    brain: Thinking
    clock: Clock
    changes: Changes
    _shares: Mapping[str, float] = field(default_factory=dict)
    _shared: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path, catalog: Catalog, reader: Reader, production: Production, registry: Registry,
        brain: Thinking, clock: Clock,
    ) -> Iterator[Maintenance]:  # fmt: skip
        """Open the work orders of a folder; leaving the block closes them."""
        known = ((path, worn(path, [entry.tag for entry in catalog.of(path)])) for path in catalog.assets)
        parts: dict[str, Worn] = {path: one for path, one in known if one is not None}
        with WorkOrders(folder, clock) as orders:
            yield cls(orders, catalog, production, registry, brain, clock, Changes(reader, parts))

    def ends(self) -> Ends:
        """Now, and when the next hour, this shift, the next 24 hours and the next seven days end."""
        now = self.clock()
        return Ends(now, now + DAY // 24, self.production.planned.shift(now).end, now + DAY, now + 7 * DAY)

    def outlook(self) -> list[Outlook]:
        """Every prediction that says what must be seen to, the most urgent first."""
        ends, shares = self.ends(), self.shares()
        kinds = ((said, kind_of(said, self.card(str(said["model"])))) for said in self.brain.predictions())
        return ranked(outlook(said, kind, shares.get(said["asset"], 1.0), ends) for said, kind in kinds if kind)

    def shares(self) -> Mapping[str, float]:
        """By machine, how much of the last eight hours it ran, as far as that is known."""
        now = self.clock()
        with self._lock:
            if now - self._shared > _FRESH:
                machines = list(self.production.machines)
                several = self.production.performance(machines, Span(now - _PACE, now)) if machines else []
                known = {one.path: one.times.pot - one.times.unknown for one in several}
                self._shares = {one.path: one.times.apt / known[one.path] for one in several if known[one.path] > 0}
                self._shared = now
            return self._shares

    def ran(self, asset: str, start: int, end: int) -> int:
        """How long (ns) an asset ran in [start, end); one that is no machine ran all the time."""
        if asset not in self.production.machines or end <= start:
            return max(end - start, 0)
        (one,) = self.production.performance([asset], Span(start, end))
        return one.times.apt

    def card(self, name: str) -> Card | None:
        """What the newest version of a model says of itself."""
        versions = self.registry.state.versions.get(name, ())
        return versions[-1].card if versions else None

    def in_shadow(self) -> list[tuple[str, Card, int]]:
        """Assets that a model of maintenance is only compared on: the asset, the card, the version."""
        found = []
        for name, versions in self.registry.state.versions.items():
            card = versions[-1].card
            said = {"target": card.target, "unit": card.unit}
            if not kind_of(said, card):
                continue
            for asset in self.catalog.assets:
                serving = self.registry.resolve(name, asset)
                if serving.live is None and serving.shadows:
                    found.append((asset, card, serving.shadows[-1].number))
        return found

    def past(self, since: int) -> list[Past]:
        """What the champions of all models of maintenance said since `since` (UTC ns), beside what came."""
        levels = {str(one["name"]): one.get("levels") or {} for one in self.brain.models()}
        found = []
        for name, versions in sorted(self.registry.state.versions.items()):
            card = versions[-1].card
            if not kind_of({"target": card.target, "unit": card.unit}, card):
                continue
            number = self._speaks(name)
            if number is not None:
                said = levels.get(name, {})
                found.append(self._past(card, number, Level(said.get("above"), said.get("below")), since))
        return found

    def _past(self, card: Card, number: int, level: Level, since: int) -> Past:
        rows = self.registry.scores.labelled(card.name, number, None, "*", since)
        event = level if card.kind == "regression" else _IT_WAS_SO
        counted = {asset: tally(mine, level, event) for asset, mine in by_asset(rows).items()}
        return Past(card, number, level, counted, points(rows))

    def _speaks(self, name: str) -> int | None:
        """The version that speaks for most assets."""
        live = (self.registry.resolve(name, asset).live for asset in self.catalog.assets)
        most = Counter(version.number for version in live if version is not None).most_common(1)
        return most[0][0] if most else None

    def found(self, asset: str, target: str) -> Mapping[str, Any] | None:
        """The prediction of a target that holds now."""
        return next((said for said in self.brain.predictions(asset) if said["target"] == target), None)
