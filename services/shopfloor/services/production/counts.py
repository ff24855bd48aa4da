"""Parts: when a counter counted, what was made, and which measured parts were none of the good ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Reader
from shopfloor.plant.config import ProductionSection
from shopfloor.plant.quality import severity
from shopfloor.services.historian.options import DAY, HOUR, NS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_BAD: Final = 2
SETTLE: Final = NS
"""Values of several tags that belong together are stored one after the other, within this time."""
_BACK: Final = (HOUR, DAY, 35 * DAY)
"""So far back, step by step, the last value that is not bad is looked for where the last value is bad."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """When (UTC ns) a counter rose, and by how much."""

    time: Ints
    step: Floats

    def within(self, start: int, end: int) -> Steps:
        """Those of [start, end)."""
        cut = slice(int(np.searchsorted(self.time, start)), int(np.searchsorted(self.time, end)))
        return Steps(self.time[cut], self.step[cut])

    def inside(self, spans: Ints) -> Steps:
        """Those within any of the spans, rows of start and end that lie apart."""
        keep = np.searchsorted(spans[:, 0], self.time, "right") > np.searchsorted(spans[:, 1], self.time, "right")
        return Steps(self.time[keep], self.step[keep])


def steps(reader: Reader, tag: str, start: int, end: int) -> Steps:
    """What a counter counted in [start, end), by the rule of the historian's `increase`.

    From the last value before `start` on; after a fall, which is a reset or the end of its digits, the new number.
    """
    table = _known(reader, tag, start, end)
    time, value = _times(table), table.column("value").to_numpy()
    rise = np.diff(value)
    rise = np.where(rise < 0, value[1:], rise)
    rose = (rise > 0) & (time[1:] >= start)
    return Steps(time[1:][rose], rise[rose])


def planned_runs(reader: Reader, asset: str, production: ProductionSection, made: Steps) -> Floats:
    """The planned run time (PRI, ns) of one part at each step: that of the item that was made then."""
    usual = production.ideal_cycle * NS
    if not production.ideal_cycles or not len(made.time):
        return np.full(len(made.time), usual)
    first, last = int(made.time[0]), int(made.time[-1]) + 1
    table = _known(reader, f"{asset}/{production.item}", first, last)
    cycle = [production.ideal_cycles.get(name or "", production.ideal_cycle) * NS for name in _texts(table)]
    at = np.searchsorted(_times(table), made.time, "right")
    return np.array([usual, *cycle], np.float64)[at]


def rejected(reader: Reader, asset: str, production: ProductionSection, start: int, end: int) -> Ints:
    """Moments (UTC ns) in [start, end) at which a part was measured outside of what is allowed, each part once."""
    result = production.result
    if result is None:
        return np.empty(0, np.int64)
    found = results(reader, asset, production, start, end)
    low = -np.inf if result.low is None else result.low
    high = np.inf if result.high is None else result.high
    return found.time[(found.value < low) | (found.value > high)]


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Measured parts: when it was known (UTC ns), which part, and its value."""

    time: Ints
    part: Floats
    value: Floats


def results(reader: Reader, asset: str, production: ProductionSection, start: int, end: int) -> Results:
    """The parts that were measured in [start, end), each once, with the value that held a second later."""
    result = production.result
    if result is None:
        return Results(np.empty(0, np.int64), np.empty(0), np.empty(0))
    part = _known(reader, f"{asset}/{result.part}", start, end)
    moment, number = _times(part), part.column("value").to_numpy()
    fresh = np.append(True, np.diff(number) != 0)[: len(number)] & (moment >= start)
    moment, number = moment[fresh], number[fresh]
    measured = _known(reader, f"{asset}/{result.tag}", start, end + SETTLE)
    at = np.searchsorted(_times(measured), moment + SETTLE, "right") - 1
    known = at >= 0
    return Results(moment[known], number[known], measured.column("value").to_numpy()[at[known]])


def _known(reader: Reader, tag: str, start: int, end: int) -> pa.Table:
    """The values of [start, end) that are not bad, after the last such value before `start`."""
    table = reader.read([tag], start, end, previous=True)
    rows = _good(table)
    before = int(np.searchsorted(_times(table), start)) and not int(np.searchsorted(_times(rows), start))
    for back in _BACK if before else ():
        earlier = _good(reader.read([tag], start - back, start, previous=True))
        if len(earlier):
            return pa.concat_tables([earlier.slice(len(earlier) - 1), rows])
    return rows


def _good(table: pa.Table) -> pa.Table:
    """Without what is bad."""
    return table.filter(pa.array(severity(table.column("quality").to_numpy()) < _BAD))


def _times(table: pa.Table) -> Ints:
    moment: Ints = table.column("time").cast(pa.int64()).to_numpy()
    return moment


def _texts(table: pa.Table) -> list[str | None]:
    return list(table.column("text").to_pylist())
