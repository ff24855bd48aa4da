"""The past of assets, read from the store in stretches: finished parts and bins, exactly as live judging makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from shopfloor.models import parts
from shopfloor.models.bins import BIN, Bins, clock, join, side_by_side
from shopfloor.models.columns import DAY, HOUR, MINUTE, Columns, Steps, columns, number
from shopfloor.models.features import BINS_SEEN, MEMORY
from shopfloor.models.parts import NO_PARTS, Parts, Probes, concat, probes
from shopfloor.plant.asset import Asset
from shopfloor.services.brain.feed import HistoryReader, Tags, read
from shopfloor.services.brain.follow import joined

BEFORE: Final = 2 * HOUR
"""Read before the first part, so that its cut and the pause before it are whole."""
_STRETCH: Final = DAY
_POTS_STRETCH: Final = 6 * HOUR
_FARTHEST: Final = 7 * DAY
_SILENT: Final = 2 * MINUTE
_PROBE: Final = ("probe.part", "probe.dimension")
Told = Callable[[int], None]
"""Hears up to which time (UTC ns) the past of an asset is read."""


@dataclass(frozen=True, slots=True, eq=False)
class MachinePast:
    """The parts that a machine finished, and what the measuring machine said of them."""

    parts: Parts
    probes: Probes


@dataclass(slots=True)
class _Reading:
    """Reads one machine stretch by stretch; keeps the columns that the next stretch needs."""

    reader: HistoryReader
    asset: Asset
    held: Tags = field(default_factory=dict)
    probed: dict[str, list[Steps]] = field(default_factory=dict)
    last: int = 0

    def stretch(self, low: int, high: int, *, first: bool) -> Parts:
        """The parts that were finished in [low, high) UTC ns."""
        new = read(self.reader, [self.asset], low, high, previous=first).get(str(self.asset.path), {})
        self.held = joined(self.held, new)
        for name in _PROBE:
            if name in new:
                self.probed.setdefault(name, []).append(new[name])
        found = parts.finished(self.held, after=self.last)
        self.last = int(found.end[-1]) if len(found) else self.last
        self.held = {name: steps.since(high - BEFORE) for name, steps in self.held.items()}
        return found

    def results(self) -> Probes:
        """Every result of the measuring machine so far."""
        return probes({name: _end_to_end(several) for name, several in self.probed.items()})


def _end_to_end(several: Sequence[Steps]) -> Steps:
    return Steps(np.concatenate([s.time for s in several]), np.concatenate([s.value for s in several]))


def machine_past(reader: HistoryReader, asset: Asset, start: int, end: int, told: Told = lambda _: None) -> MachinePast:
    """What a machine finished in [start, end) UTC ns."""
    reading = _Reading(reader, asset)
    found = [NO_PARTS]
    for low in range(start, end, _STRETCH):
        high = min(low + _STRETCH, end)
        found.append(reading.stretch(low, high, first=low == start))
        told(high)
    return MachinePast(concat(found), reading.results())


def begin_of(reader: HistoryReader, asset: Asset, start: int) -> int:
    """From when on (UTC ns) a machine is read, so that the first part after `start` has all that it looks back at."""
    tag = f"{asset.path}/part.count"
    counts = columns(reader.read([tag], max(start - _FARTHEST, 0), start)).get(str(asset.path), {})
    times = number(counts, "part.count").changes().time
    oldest = int(times[-MEMORY - 1]) if len(times) > MEMORY else int(times[0]) if len(times) else start
    return max(oldest - BEFORE, 0)


def pot_stretches(
    reader: HistoryReader, assets: Sequence[Asset], begin: int, end: int, told: Told = lambda _: None
) -> Iterator[tuple[Bins, int]]:
    """Bins that end in (begin, end], with those before them that their features look at; how many of them are new."""
    names = [str(a.path) for a in assets]
    held: dict[str, Tags] = {name: {} for name in names}
    before: Bins | None = None
    first = begin // BIN * BIN
    for low in range(first, end, _POTS_STRETCH):
        high = min(low + _POTS_STRETCH, end)
        since = low - 15 * MINUTE if low == first else low
        new = read(reader, assets, since, high, previous=low == first)
        held = {name: joined(held[name], new.get(name, {})) for name in names}
        fresh = side_by_side(names, held, clock(low, high))
        blank_silent(held, fresh)
        before = fresh if before is None else join(before.take(slice(-BINS_SEEN, None)), fresh)
        held = {name: {t: s.since(high // BIN * BIN - _SILENT) for t, s in held[name].items()} for name in names}
        told(high)
        yield before, len(fresh)


def blank_silent(held: Mapping[str, Columns], fresh: Bins) -> None:
    """Take out the bins of pots that said nothing in the two minutes before their end, as live judging does."""
    for pot, name in enumerate(fresh.pots):
        time = number(held.get(name, {}), "resistance").time
        newest = np.append(0, time)[np.searchsorted(time, fresh.time, "right")]
        fresh.values[fresh.time > newest + _SILENT, pot] = np.nan


def oldest(reader: HistoryReader, tags: Sequence[str], start: int, end: int) -> int | None:
    """When the store's first value of these tags in [start, end) is from (UTC ns), None when there is none."""
    table = reader.read(tags, start, end)
    times = table.column("time").cast(pa.int64())
    return int(times.to_numpy().min()) if table.num_rows else None
