"""Key performance indicators after ISO 22400-2:2014, with the element names of the standard.

Effectiveness may exceed 1 where the planned run time is too generous: it is never clipped, but flagged.
"""

from __future__ import annotations

from dataclasses import dataclass

from shopfloor.services.historian.options import NS
from shopfloor.services.production.times import Times


@dataclass(frozen=True, slots=True)
class Counts:
    """Produced (PQ), scrap (SQ) and rework (RQ) quantity, and the planned run time of all produced (PRI·PQ, in ns)."""

    pq: float = 0.0
    sq: float = 0.0
    rq: float = 0.0
    planned_run: float = 0.0

    @property
    def gq(self) -> float:
        """Good quantity: neither scrap nor to be reworked."""
        return self.pq - self.sq - self.rq

    def __add__(self, other: Counts) -> Counts:
        run = self.planned_run + other.planned_run
        return Counts(self.pq + other.pq, self.sq + other.sq, self.rq + other.rq, run)


@dataclass(frozen=True, slots=True)
class Kpis:
    """Indicators of ISO 22400-2 as shares; throughput in parts an hour. `too_fast`: effectiveness exceeds 1.

    What is None has nothing to be a share of; nor has anything in a time of which nothing is known.
    """

    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None
    oee: float | None
    nee: float | None
    utilization_efficiency: float | None
    allocation_efficiency: float | None
    technical_efficiency: float | None
    setup_ratio: float | None
    scrap_ratio: float | None
    rework_ratio: float | None
    throughput_rate: float | None
    too_fast: bool


def kpis(time: Times, count: Counts) -> Kpis:
    """The indicators of one machine, or of several whose times and counts were added.

    >>> from shopfloor.services.production.times import NOTHING
    >>> shift = Times({**NOTHING.held, "running": 300 * 60 * NS, "down": 60 * 60 * NS, "setup": 60 * 60 * NS})
    >>> found = kpis(shift, Counts(pq=250, sq=10, planned_run=250 * 60 * NS))
    >>> round(found.availability, 4), round(found.effectiveness, 4), found.quality_ratio, round(found.oee, 4)
    (0.7143, 0.8333, 0.96, 0.5714)
    """
    busy = time.pbt if time.pbt > time.unknown else 0
    availability = _share(time.apt, busy)
    effectiveness = _share(count.planned_run, time.apt)
    quality = _share(count.gq, count.pq)
    return Kpis(
        availability=availability,
        effectiveness=effectiveness,
        quality_ratio=quality,
        oee=_product(availability, effectiveness, quality),
        nee=_product(_share(time.aupt, busy), effectiveness, quality),
        utilization_efficiency=_share(time.apt, time.aubt),
        allocation_efficiency=_share(time.aubt, busy),
        technical_efficiency=_share(time.apt, time.apt + time.adet),
        setup_ratio=_share(time.aust, time.aupt),
        scrap_ratio=_share(count.sq, count.pq),
        rework_ratio=_share(count.rq, count.pq),
        throughput_rate=_share(count.pq, time.aubt / (3_600 * NS)),
        too_fast=effectiveness is not None and effectiveness > 1,
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _product(*factors: float | None) -> float | None:
    """Nothing was produced: the product is 0 where the first factor is."""
    if factors[0] == 0:
        return 0.0
    answer = 1.0
    for factor in factors:
        if factor is None:
            return None
        answer *= factor
    return answer
