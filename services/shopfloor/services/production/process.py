"""Indicators of continuous processes: throughput, yield against theory, energy per output, and upsets.

ISO 22400-2 names them throughput rate, finished goods ratio and comprehensive energy consumption. What is made comes in
portions (a pot is tapped once a day): a portion is what was made since the portion before it. Yield and energy compare
it with that time and with no other, so that they are right for a shift in which only some units gave a portion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Reader
from shopfloor.plant.quality import severity
from shopfloor.services.historian.options import DAY, HOUR
from shopfloor.services.production.counts import SETTLE, steps
from shopfloor.services.production.energy import curve
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.times import Times, times
from shopfloor.services.production.visits import KINDS, Visits

BEFORE: Final = 3 * DAY
"""So far back the portion before a time is looked for."""
_BAD: Final = 2
_DOWN: Final = KINDS.index("down")


@dataclass(frozen=True, slots=True)
class Portion:
    """What was made from `since` (UTC ns; None: that is not known) to `time`."""

    time: int
    since: int | None
    amount: float


@dataclass(frozen=True, slots=True)
class Yielded:
    """What one unit or several gave: amounts in the unit of the output, energy in kWh, times in ns.

    `closed` is what was made in times whose beginning is known; in these `theory` could have been made, `energy` was
    taken, and they lasted `lasted`. `upsets` are visits of the kind `down`, which lasted `upset`.
    """

    output: float
    portions: int
    closed: float
    theory: float
    energy: float
    lasted: int
    upsets: int
    upset: int
    unit_time: int

    def __add__(self, other: Yielded) -> Yielded:
        return Yielded(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def yields(self) -> float | None:
        """Share of what could have been made by theory."""
        return self.closed / self.theory if self.theory else None

    @property
    def energy_per_output(self) -> float | None:
        """Energy (kWh) for one of the output."""
        return self.energy / self.closed if self.closed and self.energy else None

    @property
    def throughput(self) -> float | None:
        """Output an hour of one unit."""
        return self.closed / (self.lasted / HOUR) if self.lasted else None

    @property
    def upsets_per_day(self) -> float | None:
        """Upsets of a unit in a day."""
        return self.upsets / (self.unit_time / DAY) if self.unit_time else None


NOTHING: Final = Yielded(0.0, 0, 0.0, 0.0, 0.0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Processed:
    """A unit of a process in a time."""

    path: str
    title: str
    times: Times
    yielded: Yielded
    doing: str


def processed(
    reader: Reader, machine: Machine, planned: NDArray[np.int64], start: int, end: int, now: int
) -> Processed:
    """How a unit did in [start, end) (UTC ns); `planned` are the parts of it in which production is planned."""
    found = machine.visits(reader, start, end, now)
    made = portions(reader, machine, start, end)
    closed = [one for one in made if one.since is not None]
    upsets, upset = _upsets(found, start, end)
    first = min((one.since for one in closed if one.since is not None), default=start)
    yielded = Yielded(
        sum(one.amount for one in made), len(made), sum(one.amount for one in closed),
        _theory(reader, machine, closed, first, end), _energy(reader, machine, closed, first, end),
        sum(one.time - (one.since or 0) for one in closed), upsets, upset, end - start,
    )  # fmt: skip
    title = machine.asset.title
    return Processed(machine.path, title, times(found, planned, start, end), yielded, found.at(end - 1))


def portions(reader: Reader, machine: Machine, start: int, end: int) -> list[Portion]:
    """The portions that were given in [start, end); a counter gives one, of the whole time."""
    process = machine.production.process
    if process is None:
        return []
    if not process.after:
        made = float(steps(reader, machine.tag(process.output), start, end).step.sum())
        return [Portion(end, start, made)]
    moments = _ends(reader, machine, process.after, start - BEFORE, end)
    if not moments:
        return []
    amount = _amounts(reader, machine.tag(process.output), moments)
    since = [None, *moments[:-1]]
    rows = zip(moments, since, amount, strict=True)
    return [Portion(*row) for row in rows if row[0] >= start and not np.isnan(row[2])]


def _ends(reader: Reader, machine: Machine, after: str, start: int, end: int) -> list[int]:
    """When the machine left a state."""
    table = reader.read([machine.tag(machine.production.state)], start, end, previous=True)
    moment = table.column("time").cast(pa.int64()).to_numpy()
    was = np.array([text == after for text in table.column("text").to_pylist()], bool)
    left = was[:-1] & ~was[1:]
    ends: list[int] = moment[1:][left].tolist()
    return ends


def _amounts(reader: Reader, tag: str, moments: Sequence[int]) -> list[float]:
    """The newest good value a second after each moment; NaN where there is none."""
    table = reader.read([tag], moments[0], moments[-1] + 2 * SETTLE, previous=True)
    table = table.filter(pa.array(severity(table.column("quality").to_numpy()) < _BAD))
    value = np.append(np.nan, table.column("value").to_numpy())
    at = np.searchsorted(table.column("time").cast(pa.int64()).to_numpy(), np.array(moments) + SETTLE, "right")
    found: list[float] = value[at].tolist()
    return found


def _theory(reader: Reader, machine: Machine, closed: Sequence[Portion], start: int, end: int) -> float:
    """What could have been made in the times of portions: the integral of a tag over hours, times a factor."""
    process = machine.production.process
    if process is None or not process.theory or not closed:
        return 0.0
    first = start // HOUR * HOUR
    table = reader.aggregate([machine.tag(process.theory)], first, end, HOUR, of=("n", "mean"))
    hour = table.column("time").cast(pa.int64()).to_numpy()
    mean = table.column("sum").to_numpy() / np.maximum(table.column("n").to_numpy(), 1)
    total = 0.0
    for one in closed:
        within = np.minimum(hour + HOUR, one.time) - np.maximum(hour, one.since or 0)
        total += float(mean @ np.maximum(within, 0)) / HOUR
    return total * process.per


def _energy(reader: Reader, machine: Machine, closed: Sequence[Portion], start: int, end: int) -> float:
    if not machine.production.energy or not closed:
        return 0.0
    found = curve(reader, machine, start, end, HOUR)
    return sum(found.between(one.since or 0, one.time) for one in closed)


def _upsets(found: Visits, start: int, end: int) -> tuple[int, int]:
    """How often it was down in [start, end), and how long (ns)."""
    down = found.code == _DOWN
    begins, ends = np.maximum(found.edges[:-1][down], start), np.minimum(found.edges[1:][down], end)
    within = ends > begins
    return int(within.sum()), int((ends - begins)[within].sum())
