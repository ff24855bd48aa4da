"""Visits: what a machine did, one after the other, out of the rows of its state tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant.config import Activity, ProductionSection
from shopfloor.plant.quality import severity
from shopfloor.services.historian.options import NS

Ints = NDArray[np.int64]

MINOR: Final = "minor-stop"
UNKNOWN: Final = "unknown"
KINDS: Final = (*(str(one) for one in Activity), MINOR, UNKNOWN)
"""What time can be: an activity, a minor stop, or unknown. Codes of visits are places in it."""

_CODE: Final = {kind: code for code, kind in enumerate(KINDS)}
RUNNING: Final = _CODE["running"]
_BAD: Final = 2
_SHORT: Final = [_CODE[kind] for kind in ("down", "blocked", "starved", "idle")]


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Visit i lasts from `edges[i]` to `edges[i + 1]` (UTC ns) and is `KINDS[code[i]]`; none is like the one before."""

    edges: Ints
    code: Ints

    def __len__(self) -> int:
        return len(self.code)

    @property
    def lengths(self) -> Ints:
        """How long each visit lasts, in ns."""
        return np.diff(self.edges)

    def at(self, moment: int) -> str:
        """What it was at a moment (UTC ns) within."""
        return KINDS[int(self.code[int(np.searchsorted(self.edges, moment, "right")) - 1])]


def visits(table: pa.Table, production: ProductionSection, start: int, end: int) -> Visits:
    """What a machine did in [start, end), out of `Reader.read(previous=True)` of its state tag.

    Time before the first state, after a bad or unnamed one, and `hold` after the last value of any, is unknown.

    >>> section = ProductionSection(state="s", states={"RUN": "running", "OFF": "down"}, count="n", ideal_cycle="1s")
    >>> good = pa.array([0, 0, 0], pa.uint32())
    >>> rows = pa.table({"time": [10, 20, 30], "text": ["RUN", "OFF", "?"], "quality": good})
    >>> found = visits(rows, section, 0, 40)
    >>> found.edges.tolist(), [KINDS[code] for code in found.code]
    ([0, 10, 20, 30, 40], ['unknown', 'running', 'down', 'unknown'])
    """
    moment = table.column("time").cast(pa.int64()).to_numpy()
    code = _codes(table, production.states)
    if production.hold is not None:
        moment, code = _released(moment, code, round(production.hold * NS), end)
    moment, code = np.append(start - 1, moment), np.append(_CODE[UNKNOWN], code)
    first = int(np.searchsorted(moment, start, "right")) - 1
    last = int(np.searchsorted(moment, end, "left"))
    moment, code = moment[first:last].copy(), code[first:last]
    moment[0] = start
    return merged(np.append(moment, end), code)


def settled(found: Visits, production: ProductionSection) -> Visits:
    """The same time with what is short told apart: loading is running, and a short stop is a minor stop."""
    idle = found.code == _CODE["idle"]
    loading = idle & (found.lengths <= round(production.loading * NS))
    found = merged(found.edges, np.where(loading, RUNNING, found.code))
    short = np.isin(found.code, _SHORT) & (found.lengths <= round(production.minor_stop * NS))
    return merged(found.edges, np.where(short, _CODE[MINOR], found.code))


def merged(edges: Ints, code: Ints) -> Visits:
    """Visits without those that last no time, and with neighbours of one kind as one."""
    lasting = np.diff(edges) > 0
    begins, code = edges[:-1][lasting], code[lasting]
    new = np.append(True, code[1:] != code[:-1])[: len(code)]
    return Visits(np.append(begins[new], edges[-1]), code[new])


def _codes(table: pa.Table, states: Mapping[str, Activity]) -> Ints:
    text = table.column("text").combine_chunks().dictionary_encode()
    names = [_CODE[str(states[name])] if name in states else _CODE[UNKNOWN] for name in text.dictionary.to_pylist()]
    code = np.array([*names, _CODE[UNKNOWN]], np.int64)[
        text.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    ]
    bad = severity(table.column("quality").to_numpy()) >= _BAD
    return np.where(bad, _CODE[UNKNOWN], code)


def _released(moment: Ints, code: Ints, hold: int, end: int) -> tuple[Ints, Ints]:
    """With an unknown visit wherever the next value came later than `hold`."""
    late = np.flatnonzero(np.diff(np.append(moment, max(end, int(moment[-1]) if len(moment) else end))) > hold)
    return np.insert(moment, late + 1, moment[late] + hold), np.insert(code, late + 1, _CODE[UNKNOWN])
