"""Energy: what machines took, in kWh, while they made parts and while they did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Reader
from shopfloor.services.historian.options import HOUR, MINUTE
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.visits import KINDS, MINOR, RUNNING, UNKNOWN, Visits

_BEFORE: Final = HOUR
"""So far back the counter's last value before a time is looked for."""
_STANDING: Final = [code for code, kind in enumerate(KINDS) if kind not in {KINDS[RUNNING], MINOR, UNKNOWN}]


@dataclass(frozen=True, slots=True, eq=False)
class EnergyCurve:
    """What a counter of kWh has counted up to each moment (UTC ns): straight lines between."""

    time: NDArray[np.int64]
    kwh: NDArray[np.float64]

    def between(self, start: int, end: int) -> float:
        """KWh of [start, end).

        >>> EnergyCurve(np.array([0, 10]), np.array([0.0, 5.0])).between(2, 4)
        1.0
        """
        if not len(self.time):
            return 0.0
        first, last = np.interp([start, end], self.time, self.kwh)
        return float(last - first)


@dataclass(frozen=True, slots=True)
class Energy:
    """kWh in all, while running, and while standing for longer than a minor stop; how long (ns) it stood."""

    total: float
    running: float
    standing: float
    stood: int

    @property
    def base_load(self) -> float | None:
        """Mean power (kW) while standing."""
        return self.standing / (self.stood / HOUR) if self.stood else None

    def __add__(self, other: Energy) -> Energy:
        return Energy(
            self.total + other.total, self.running + other.running, self.standing + other.standing,
            self.stood + other.stood,
        )  # fmt: skip


NONE: Final = Energy(0.0, 0.0, 0.0, 0)


def curve(reader: Reader, machine: Machine, start: int, end: int, every: int = MINUTE) -> EnergyCurve:
    """The energy counter of a machine over [start, end), from the historian's summaries of `every` ns."""
    first = (start - _BEFORE) // every * every
    of = ("n", "increase", "last_time")
    table = reader.aggregate([machine.tag(machine.production.energy)], first, end + HOUR, every, of=of)
    time = table.column("last_time").cast(pa.int64()).to_numpy()
    if "increase" not in table.column_names:
        return EnergyCurve(time[:0], np.empty(0))
    return EnergyCurve(time, np.cumsum(np.nan_to_num(table.column("increase").to_numpy())))


def energy(found: EnergyCurve, visits: Visits, start: int, end: int) -> Energy:
    """The energy of a machine in [start, end) by what it did."""
    edges = np.clip(visits.edges, start, end)
    if not len(found.time):
        return NONE
    parts = np.diff(np.interp(edges, found.time, found.kwh))
    standing = np.isin(visits.code, _STANDING)
    return Energy(
        found.between(start, end),
        float(parts[visits.code == RUNNING].sum()),
        float(parts[standing].sum()),
        int(np.diff(edges)[standing].sum()),
    )
