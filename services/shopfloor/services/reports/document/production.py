"""Production in a report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Factors:
    """Indicators of ISO 22400-2 as shares, planned operation time and losses in seconds by kind."""

    oee: float | None
    availability: float | None
    effectiveness: float | None
    quality_ratio: float | None
    planned: float
    losses: dict[str, float]


@dataclass(frozen=True, slots=True)
class Made:
    """A machine: its indicators, and what it made. `possible` is what the ideal cycle allows in its busy time."""

    title: str
    factors: Factors
    made: float
    good: float
    scrap: float
    rework: float
    possible: float | None


@dataclass(frozen=True, slots=True)
class Oee:
    """All machines as one: now, the period before, and the mean of up to seven before (`usual_of` of them)."""

    now: Factors
    before: Factors | None
    usual: Factors | None
    usual_of: int
    total: Made
    machines: tuple[Made, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """What a machine did: `kinds[i]` from `edges[i]` to `edges[i + 1]`."""

    title: str
    edges: tuple[int, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """How long and how often machines stood for a reason; an empty one was not told."""

    reason: str
    kind: str
    seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class Stood:
    """A stop, cut to the time of the report; `open`: it lasts."""

    asset: str
    start: int
    seconds: float
    open: bool
    kind: str
    reason: str
    comment: str
    by: str


@dataclass(frozen=True, slots=True)
class Downtime:
    """Lanes of the machines, causes with the longest first, and the longest stops."""

    lanes: tuple[Lane, ...]
    causes: tuple[Cause, ...]
    longest: tuple[Stood, ...]
    stops: int


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order that ran in the time: `here` is good in it, `good` in all."""

    number: str
    item: str
    state: str
    quantity: int
    good: float
    scrap: float
    here: float


@dataclass(frozen=True, slots=True)
class Reject:
    """Scrap or rework by reason; `measured` and `counter` are reasons of the machine itself."""

    kind: str
    reason: str
    quantity: float


@dataclass(frozen=True, slots=True)
class EnergyLine:
    """KWh of a machine, while it ran and stood, its mean power (kW) while it stood, and what was good."""

    title: str
    kwh: float
    running: float
    standing: float
    base_load: float | None
    good: float
