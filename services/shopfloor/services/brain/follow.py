"""Follow a line live: read what is new, finish parts and bins exactly as training did, keep the recent past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.models import bins, parts
from shopfloor.models.bins import BIN, Bins
from shopfloor.models.columns import HOUR, MINUTE, SECOND
from shopfloor.models.features import MEMORY
from shopfloor.models.parts import NO_PARTS, Parts
from shopfloor.plant.asset import Asset
from shopfloor.services.brain.feed import HistoryReader, Tags, read

PARTS_KEPT: Final = 2 * MEMORY
BINS_KEPT: Final = 3000
PULSE: Final = {
    "machine-tool": ("spindle.power", "spindle.temperature", "state"),
    "reduction-pot": ("resistance", "voltage", "current"),
}
"""Tags that tell how far an asset's data has come."""
_LATE: Final = 4 * SECOND
_CHUNK: Final = 10 * MINUTE
_FIRST: Final = 3 * HOUR


class Follower(Protocol):
    """One line of assets of one type."""

    assets: tuple[Asset, ...]
    cursor: int

    def take(self, tags: Mapping[str, Tags], upto: int) -> None:
        """Take in the columns read from `cursor` to `upto`."""
        ...


@dataclass(slots=True, eq=False)
class Machines:
    """Machine tools: the parts they finished. `fresh` counts the new parts of each machine since it was cleared."""

    assets: tuple[Asset, ...]
    cursor: int = 0
    finished: dict[str, Parts] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    columns: dict[str, Tags] = field(default_factory=dict)

    def take(self, tags: Mapping[str, Tags], upto: int) -> None:
        """Finish the parts that ended by now; keep only the columns that the next part needs."""
        for asset in map(str, (a.path for a in self.assets)):
            held = joined(self.columns.get(asset, {}), tags.get(asset, {}))
            before = self.finished.get(asset, NO_PARTS)
            new = parts.finished(held, after=int(before.end[-1]) if len(before) else 0)
            if len(new):
                self.finished[asset] = before.then(new).take(slice(-PARTS_KEPT, None))
                self.fresh[asset] = self.fresh.get(asset, 0) + len(new)
            self.columns[asset] = self._trimmed(asset, held, upto)
        self.cursor = upto

    def _trimmed(self, asset: str, held: Tags, upto: int) -> Tags:
        known = self.finished.get(asset, NO_PARTS)
        border = max(int(known.start[-1]) - SECOND if len(known) else 0, upto - HOUR)
        return {name: steps.since(border) for name, steps in held.items()}


@dataclass(slots=True, eq=False)
class Pots:
    """Reduction pots: their half-minute bins, side by side."""

    assets: tuple[Asset, ...]
    cursor: int = 0
    bins: Bins | None = None
    fresh: bool = False
    columns: dict[str, Tags] = field(default_factory=dict)

    def take(self, tags: Mapping[str, Tags], upto: int) -> None:
        """Fill the bins that are complete by now; a pot without any value in a bin's last minutes has none there."""
        names = [str(a.path) for a in self.assets]
        held = {name: joined(self.columns.get(name, {}), tags.get(name, {})) for name in names}
        ends = bins.clock(self.cursor // BIN * BIN, upto)
        ends = ends[ends > (int(self.bins.time[-1]) if self.bins is not None and len(self.bins) else 0)]
        if len(ends):
            new = bins.side_by_side(names, held, ends)
            self._blank_silent(held, new)
            self.bins = _last(bins.join(self.bins, new) if self.bins is not None else new)
            self.fresh = True
        self.columns = {name: {t: s.since(upto // BIN * BIN) for t, s in held[name].items()} for name in names}
        self.cursor = upto

    def _blank_silent(self, held: Mapping[str, Tags], new: Bins) -> None:
        for pot, name in enumerate(new.pots):
            steps = held[name].get("resistance")
            newest = int(steps.time[-1]) if steps is not None and len(steps.time) else 0
            new.values[new.time > newest + 2 * MINUTE, pot] = np.nan


def _last(b: Bins) -> Bins:
    return b.take(slice(-BINS_KEPT, None))


def joined(held: Tags, new: Tags) -> Tags:
    """Columns with what came after them."""
    return {
        name: held[name].then(new[name]) if name in held and name in new else new.get(name) or held[name]
        for name in held.keys() | new.keys()
    }


def lines(assets: Sequence[Asset]) -> list[Machines | Pots]:
    """The lines the brain follows: assets of one type in one site, area and line."""
    found: dict[tuple[str, str], list[Asset]] = {}
    for asset in assets:
        line = f"{asset.path.site}/{asset.path.area}/{asset.path.line}"
        found.setdefault((line, asset.type), []).append(asset)
    kinds: dict[str, type[Machines] | type[Pots]] = {"machine-tool": Machines, "reduction-pot": Pots}
    return [kinds[kind](tuple(several)) for (_, kind), several in found.items() if kind in kinds]


def newest(reader: HistoryReader, assets: Sequence[Asset]) -> dict[str, int]:
    """How far the data of each asset has come: UTC ns of its newest value, absent when it has none."""
    tags = [f"{a.path}/{name}" for a in assets for name in PULSE[a.type]]
    table = reader.latest(tags)
    times = table.column("time").cast(pa.int64()).to_pylist()
    found: dict[str, int] = {}
    for tag, time in zip(table.column("tag").to_pylist(), times, strict=True):
        asset = tag.rpartition("/")[0]
        found[asset] = max(found.get(asset, 0), time)
    return found


def advance(line: Machines | Pots, reader: HistoryReader, frontier: int) -> bool:
    """Read one more stretch, ten minutes at most; answers whether there is more to read."""
    upto = frontier - _LATE
    first = not line.columns
    if line.cursor <= 0:
        line.cursor = upto - _FIRST
    if upto <= line.cursor:
        return False
    start = line.cursor - HOUR if first else line.cursor
    end = min(upto, line.cursor + _CHUNK)
    line.take(read(reader, line.assets, start, end, previous=first), end)
    return end < upto


def remembered(several: Sequence[Machines | Pots]) -> dict[str, NDArray[Any]]:
    """The recent past in plain arrays."""
    kept: dict[str, NDArray[Any]] = {}
    for line in several:
        if isinstance(line, Machines):
            for asset, rows in line.finished.items():
                kept |= {f"{asset}|{key}": column for key, column in rows.arrays().items()}
        elif line.bins is not None:
            kept |= {f"{line.bins.pots[0]}|line|{key}": column for key, column in line.bins.arrays().items()}
    kept["end"] = np.array([min((line.cursor for line in several), default=0)], np.int64)
    return kept


def recall(several: Sequence[Machines | Pots], kept: Mapping[str, NDArray[Any]]) -> None:
    """Go on from what `remembered` gave; assets it does not know begin anew."""
    end = int(kept["end"][0])
    for line in several:
        line.cursor = end
        if isinstance(line, Machines):
            _recall_parts(line, kept)
        else:
            _recall_bins(line, kept)


def _recall_parts(line: Machines, kept: Mapping[str, NDArray[Any]]) -> None:
    for asset in map(str, (a.path for a in line.assets)):
        if f"{asset}|part" in kept:
            line.finished[asset] = Parts.of({key: kept[f"{asset}|{key}"] for key in NO_PARTS.arrays()})
            line.fresh[asset] = 1


def _recall_bins(line: Pots, kept: Mapping[str, NDArray[Any]]) -> None:
    names = tuple(str(a.path) for a in line.assets)
    for key in kept:
        owner, _, last = key.rpartition("|line|")
        if last != "pots":
            continue
        stored = Bins.of({part: kept[f"{owner}|line|{part}"] for part in ("time", "pots", "values")})
        if set(names) <= set(stored.pots):
            chosen = [stored.pots.index(name) for name in names]
            line.bins = Bins(stored.time, names, stored.values[:, chosen])
            line.fresh = True
