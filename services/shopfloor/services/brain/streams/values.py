"""The inputs of a stream, read from the store moment after moment: live and in replay by the same code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from shopfloor.models.columns import HOUR, Floats, Ints
from shopfloor.models.streaming import StreamSpec, good_columns, sampled
from shopfloor.services.brain.feed import HistoryReader, Tags
from shopfloor.services.brain.follow import joined

_STRETCH: Final = 6 * HOUR


@dataclass(slots=True, eq=False)
class Values:
    """Values before `cursor` (UTC ns) have been read; `held` keeps those that the next moments may need."""

    spec: StreamSpec
    assets: tuple[str, ...]
    cursor: int
    held: dict[str, Tags] = field(default_factory=dict)

    def tags(self) -> list[str]:
        """The paths of all tags."""
        return [f"{asset}/{tag}" for asset in self.assets for tag in self.spec.tags]

    def read(self, reader: HistoryReader, moments: Ints) -> Floats:
        """Inputs [t, assets, inputs] at the next moments [t], in one read."""
        if not len(moments):
            return np.empty((0, len(self.assets), len(self.spec.tags)))
        return self.given(good_columns(reader.read(self.tags(), self.cursor, int(moments[-1]) + 1)), moments)

    def given(self, columns: Mapping[str, Tags], moments: Ints) -> Floats:
        """The same, of good values from `cursor` on that were read already."""
        last, names = int(moments[-1]), set(self.spec.tags)
        for asset in self.assets:
            new = {t: s.before(last + 1) for t, s in columns.get(asset, {}).items() if t in names}
            self.held[asset] = joined(self.held.get(asset, {}), new)
        found = sampled(self.spec, [self.held[asset] for asset in self.assets], moments)
        self.held = {asset: {t: s.since(last) for t, s in tags.items()} for asset, tags in self.held.items()}
        self.cursor = last + 1
        return found


def stretches(moments: Ints) -> Iterator[Ints]:
    """Moments in pieces of which one read is not too much."""
    if len(moments):
        cuts = np.searchsorted(moments, np.arange(int(moments[0]) + _STRETCH, int(moments[-1]) + 1, _STRETCH))
        yield from (piece for piece in np.split(moments, cuts) if len(piece))
