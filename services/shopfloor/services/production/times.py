"""Time elements of ISO 22400-2: how long a machine did what, while production was planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shopfloor.services.production.visits import KINDS, MINOR, UNKNOWN, Visits

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Times:
    """How long (ns) each kind of time was within the planned operation time (POT); they add up to it exactly."""

    held: Mapping[str, int]
    closed: int = 0

    @property
    def pot(self) -> int:
        """Planned operation time: all but planned breaks and closed days."""
        return sum(self.held.values())

    @property
    def pbt(self) -> int:
        """Planned busy time: POT without planned stops."""
        return self.pot - self.held["planned-stop"]

    @property
    def apt(self) -> int:
        """Actual production time."""
        return self.held["running"]

    @property
    def aust(self) -> int:
        """Actual unit set-up time."""
        return self.held["setup"]

    @property
    def aupt(self) -> int:
        """Actual unit processing time: production and set-up."""
        return self.apt + self.aust

    @property
    def adet(self) -> int:
        """Actual unit delay time: downtime, minor stops, blocked and starved."""
        return sum(self.held[kind] for kind in ("down", MINOR, "blocked", "starved"))

    @property
    def aubt(self) -> int:
        """Actual unit busy time: processing and delays."""
        return self.aupt + self.adet

    @property
    def unknown(self) -> int:
        """Time of which nobody knows what the machine did: part of PBT, never of APT."""
        return self.held[UNKNOWN]

    def __add__(self, other: Times) -> Times:
        return Times({kind: self.held[kind] + other.held[kind] for kind in KINDS}, self.closed + other.closed)


NOTHING = Times(dict.fromkeys(KINDS, 0))


def times(found: Visits, planned: Ints, start: int, end: int) -> Times:
    """Sum visits over the planned parts (rows of start and end, apart) of [start, end)."""
    held = np.zeros(len(KINDS), np.int64)
    for first, last in np.clip(planned, start, end):
        length = np.minimum(found.edges[1:], last) - np.maximum(found.edges[:-1], first)
        np.add.at(held, found.code, np.maximum(length, 0))
    open_ = int(np.diff(np.clip(planned, start, end), axis=1).sum())
    return Times(dict(zip(KINDS, held.tolist(), strict=True)), end - start - open_)
