"""Production at work: machines, their records, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from shopfloor.plant import Batch, Reader
from shopfloor.plant.config import PlantConfig
from shopfloor.services.historian.options import DAY
from shopfloor.services.production.circumstances import Circumstances, Noted
from shopfloor.services.production.downtime import Downtime
from shopfloor.services.production.energy import Energy, curve, energy
from shopfloor.services.production.kept import KeptHours
from shopfloor.services.production.machine import ProductionRefused, ProductionUnknown, machines
from shopfloor.services.production.orders import Orders
from shopfloor.services.production.performance import Did, Performance, did_each, performance, together
from shopfloor.services.production.planned import PlannedTime, Span
from shopfloor.services.production.records import Entry
from shopfloor.services.production.store import ProductionStore
from shopfloor.services.production.suggest import Suggestions
from shopfloor.services.production.told import by_reason
from shopfloor.services.production.watcher import Watcher

MOST: Final = 35 * DAY


class Production:
    """All machines of a plant. `noted` says what alarms and models say of a machine at a moment (UTC ns).

    `missed` counts the batches of which `watch` was never told.
    """

    def __init__(
        self, config: PlantConfig, reader: Reader, store: ProductionStore, clock: Callable[[], int],
        noted: Noted, missed: Callable[[], int] = lambda: 0,
    ) -> None:  # fmt: skip
        self.reader, self.store, self.clock = reader, store, clock
        self.machines, self.tag = machines(config), config.tag
        self.planned = PlannedTime.of(config)
        self.suggestions = Suggestions(store, self.machines, self.planned, reader, clock)
        self.downtime = Downtime(store, self.machines, self.suggestions, clock)
        self.orders = Orders(store, self.machines, reader, clock)
        self._hours = KeptHours(reader, self.machines, self.planned, missed)
        self._watcher = Watcher(self.machines, reader, store, clock, noted)

    @classmethod
    @contextmanager
    def open(
        cls, config: PlantConfig, reader: Reader, folder: Path, clock: Callable[[], int],
        noted: Noted = lambda _, __: Circumstances(), missed: Callable[[], int] = lambda: 0,
    ) -> Iterator[Production]:  # fmt: skip
        """Open the records of a folder; leaving the block ends the thread and closes them."""
        with ProductionStore(folder) as store:
            production = cls(config, reader, store, clock, noted, missed)
            production._watcher.start()
            try:
                yield production
            finally:
                production._watcher.stop()

    @classmethod
    @contextmanager
    def beside(
        cls, config: PlantConfig, reader: Reader, folder: Path, clock: Callable[[], int]
    ) -> Iterator[Production]:
        """Open the records that another process keeps, to ask of them only."""
        with ProductionStore(folder) as store:
            yield cls(config, reader, store, clock, lambda _, __: Circumstances())

    def watch(self, batch: Batch) -> None:
        """Take note of what was stored; cheap, from any thread."""
        self._hours.watch(batch)
        self._watcher.watch(batch)

    def span(self, at: int | None, start: int | None, end: int | None) -> Span:
        """The shift of a moment (now, when nothing is said), or a time of one's own; UTC ns, never beyond now."""
        now = self.clock()
        if start is None and end is None:
            shift = self.planned.shift(now if at is None else at)
            return Span(shift.start, min(shift.end, max(now, shift.start + 1)), shift.name, shift.day)
        last = min(now if end is None else end, now)
        first = last - DAY if start is None else start
        if not 0 < last - first <= MOST:
            raise ProductionRefused("Performance is told for up to 35 days that have begun: ask for another time.")
        return Span(first, last)

    def under(self, place: str) -> list[str]:
        """The machines at or below a place of the plant; all of them for an empty one."""
        found = [path for path in self.machines if not place or f"{path}/".startswith(f"{place}/")]
        if place and not found:
            raise ProductionUnknown(
                f"There is no machine at {place[:200]!r}: ask /api/v1/production/oee for those that are."
            )
        return found

    def making_parts(self, place: str) -> list[str]:
        """Those of them that make parts; the others are continuous processes."""
        return [path for path in self.under(place) if self.machines[path].production.count]

    def performance(self, paths: Sequence[str], span: Span) -> list[Performance]:
        """How each machine performed."""
        now = self.clock()
        return self._performed({path: self._hours.did(path, span.start, span.end, now) for path in paths}, span)

    def performances(self, paths: Sequence[str], edges: Sequence[int]) -> list[list[Performance]]:
        """How each machine performed from each of the edges (UTC ns) to the next: its values are read once."""
        now = self.clock()
        done = {path: did_each(self.reader, self.machines[path], self.planned, edges, now) for path in paths}
        return [
            self._performed({path: each[number] for path, each in done.items()}, Span(start, end))
            for number, (start, end) in enumerate(pairwise(edges))
        ]

    def used(self, paths: Sequence[str], span: Span) -> list[tuple[Performance, Energy | None]]:
        """How each machine performed, and the energy of those that count it: what they did is read once."""
        start, end, now = span.start, span.end, self.clock()
        done, used = {}, []
        for path in paths:
            machine = self.machines[path]
            found = machine.visits(self.reader, start, end, now)
            done[path] = self._hours.did(path, start, end, now, found)
            counts = bool(machine.production.energy)
            used.append(energy(curve(self.reader, machine, start, end), found, start, end) if counts else None)
        return list(zip(self._performed(done, span), used, strict=True))

    def lines(self, each: Sequence[Performance]) -> list[tuple[Performance, list[Performance]]]:
        """Each line as one, and its machines."""
        groups: dict[str, list[Performance]] = {}
        for part in each:
            groups.setdefault(self.machines[part.path].line, []).append(part)
        return [(together(line, parts), parts) for line, parts in groups.items()]

    def _performed(self, done: Mapping[str, Did], span: Span) -> list[Performance]:
        """With the reasons that were told, and with what people entered."""
        reasons = by_reason(self.store.told_times(span.start, span.end), self.planned.open(span.start, span.end))
        entries: dict[str, list[Entry]] = {}
        for entry in self.store.entries(span.start, span.end):
            entries.setdefault(entry.asset, []).append(entry)
        return [
            performance(self.machines[path], one, reasons.get(path, {}), entries.get(path, ()))
            for path, one in done.items()
        ]  # fmt: skip
