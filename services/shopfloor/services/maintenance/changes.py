"""When the wearing part of an asset was changed last, as its own tags tell it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from shopfloor.plant import Reader, Tag
from shopfloor.services.historian.options import DAY

FAR: Final = 8 * DAY
"""How far back a change is looked for."""
TOOL: Final = "tool.id"
ANODE: Final = "ANODE_CHANGE"


@dataclass(frozen=True, slots=True)
class Worn:
    """A wearing part: a change shows in a tag, as any other value, or as the state `state`."""

    part: str
    tag: str
    state: str = ""


def worn(asset: str, tags: Sequence[Tag]) -> Worn | None:
    """What wears at an asset; None where no tag would tell of its change.

    >>> worn("a/b/c/d/m-1", [Tag("tool.id")])
    Worn(part='tool', tag='a/b/c/d/m-1/tool.id', state='')
    """
    for tag in tags:
        if tag.name == TOOL:
            return Worn("tool", f"{asset}/{tag.name}")
        if ANODE in tag.states:
            return Worn("anode", f"{asset}/{tag.name}", ANODE)
    return None


@dataclass(slots=True)
class Changes:
    """The last change of each asset: what came since the last look is read, a week at first. Safe from any thread."""

    reader: Reader
    parts: Mapping[str, Worn]
    _last: dict[str, int] = field(default_factory=dict)
    _upto: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def last(self, now: int) -> Mapping[str, int]:
        """UTC ns of the last change by asset; those of which none is known are left out."""
        with self._lock:
            since = max(self._upto, now - FAR)
            if self.parts and now > since:
                table = self.reader.read([one.tag for one in self.parts.values()], since, now, previous=True)
                for asset, one in self.parts.items():
                    self._look(asset, one, table.filter(pc.equal(table.column("tag"), one.tag)))
                self._upto = now
            return dict(self._last)

    def _look(self, asset: str, one: Worn, rows: pa.Table) -> None:
        times = rows.column("time").cast(pa.int64()).to_pylist()
        told = rows.column("text" if one.state else "value").to_pylist()
        pairs = [(moment, value) for moment, value in zip(times, told, strict=True) if value is not None]
        for (_, before), (moment, value) in reversed(list(pairwise(pairs))):
            if value != before and one.state in {"", value}:
                self._last[asset] = moment
                return
