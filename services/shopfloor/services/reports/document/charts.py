"""Control charts in a report, and tags against their normal bands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Points:
    """A control chart in columns."""

    time: tuple[int, ...]
    value: tuple[float | None, ...]
    centre: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    out: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A control chart in the time: points, signals by rule, Cpk with its 95 % interval. `plot`: where it signalled."""

    asset: str
    name: str
    title: str
    unit: str
    decimals: int
    points: int
    signals: int
    rules: dict[str, int]
    cpk: float | None
    low: float | None
    high: float | None
    normal: bool | None
    outside: float | None
    plot: Points | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A tag against its normal band; `outside` is the share of its minutes in which it left the band."""

    asset: str
    title: str
    unit: str
    decimals: int
    band: tuple[float, float]
    outside: float
    time: tuple[int, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
