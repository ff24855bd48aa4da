"""A line is one file: tags, setpoints, faults, constants and one plain scalar step function.

Everything else is derived from this declaration: address spaces, topics, history, truth and tests.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shopfloor.plant import Kind

Row = MutableSequence[float]
Step = Callable[[Row, Row, Sequence[float], Sequence[float], Row, int, int], None]
"""`step(x, u, p, f, y, key, n)`: advance one asset by one `dt`.

State `x`, setpoints `u` (an operator of the simulated plant may change them), constants `p`, fault severities `f`
(0 = none), outputs `y` (one per tag, before the sensor), noise key of the asset, number of the step since the epoch.
Rows are lists when interpreted and float64 arrays when compiled; both give the same bytes.
"""
Init = Callable[[Row, Row, Sequence[float], int, int], None]
"""`init(x, u, p, key, n)`: the state of a fresh asset at step `n`."""


@dataclass(frozen=True, slots=True)
class TagSpec:
    """A tag and its sensor.

    `rate`: samples per step when live (1 = one per step; 0 = published on change only). `browse`: relative OPC UA
    browse path. `noise`: standard deviation; `lag_s`: first-order lag; `resolution`: quantum of the converter;
    `deadband`: a history by exception keeps a value that moved by more than this. Outside `low`..`high` the sensor
    saturates. `states`: names of the codes of a text tag; `text`: how another text tag writes its code.
    """

    name: str
    unit: str = ""
    kind: Kind = Kind.FLOAT
    rate: int = 0
    browse: str = ""
    noise: float = 0.0
    lag_s: float = 0.0
    resolution: float = 0.0
    deadband: float = 0.0
    low: float = -1e12
    high: float = 1e12
    states: tuple[str, ...] = ()
    text: Callable[[int], str] | None = None

    def render(self, code: float) -> float | int | str:
        """The published value of a number in the kernel.

        >>> TagSpec("state", kind=Kind.TEXT, states=("IDLE", "EXECUTE")).render(1.0)
        'EXECUTE'
        """
        if self.kind is Kind.FLOAT:
            return float(code)
        number = int(code)
        if self.kind is Kind.INT:
            return number
        return self.text(number) if self.text else self.states[number]


@dataclass(frozen=True, slots=True)
class SetpointSpec:
    """A writable tag (its name is also among the tags): default and allowed range, in `unit`."""

    name: str
    unit: str
    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """What can be broken on purpose. Severity runs from 0 (healthy) to 1; `seen_in` names tags that must react."""

    name: str
    sentence: str
    seen_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmSpec:
    """An alarm that the device raises itself: it stands while the tag `shown` has the value `code`.

    `tag` is what it is about; `severity` as in OPC UA, 1 to 1000; `message` says what, and what to do; `confirm`: once
    acknowledged it also waits for somebody to say that it was put right.
    """

    name: str
    tag: str
    shown: str
    code: int
    severity: int
    message: str
    confirm: bool = False


SENSOR_FAULTS: tuple[FaultSpec, ...] = (
    FaultSpec("sensor.stuck", "The sensor keeps its last value and still calls it good."),
    FaultSpec("sensor.noisy", "The sensor scatters ten times as much and says that it is not accurate."),
    FaultSpec("sensor.lost", "The sensor fails: no number, bad quality."),
)
"""Faults of every float tag of every line; they change the reading, never the process."""


@dataclass(frozen=True, slots=True)
class Param:
    """A constant of the physics. Each asset draws its own: value * exp(spread * normal)."""

    name: str
    value: float
    unit: str
    source: str
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Fact:
    """A published number that the line must reproduce: `abs(measured() - expect) <= tolerance`."""

    name: str
    measured: Callable[[], float]
    expect: float
    tolerance: float
    source: str


@dataclass(frozen=True)
class Line:
    """A kind of asset with its physics. `dt` in seconds; `states` are hidden; `truth` lists those kept as truth."""

    id: str
    title: str
    companion: str
    dt: float
    tags: tuple[TagSpec, ...]
    setpoints: tuple[SetpointSpec, ...]
    faults: tuple[FaultSpec, ...]
    params: tuple[Param, ...]
    states: tuple[str, ...]
    truth: tuple[str, ...]
    step: Step
    init: Init
    facts: tuple[Fact, ...] = ()
    alarms: tuple[AlarmSpec, ...] = ()

    @cached_property
    def fast(self) -> tuple[int, ...]:
        """Tags (indices into `tags`) that are sampled several times per step; all at one `rate`."""
        return tuple(i for i, tag in enumerate(self.tags) if tag.rate > 1)

    @cached_property
    def slow(self) -> tuple[int, ...]:
        """Tags that are sampled once per step."""
        return tuple(i for i, tag in enumerate(self.tags) if tag.rate == 1)

    @cached_property
    def changing(self) -> tuple[int, ...]:
        """Tags that are published when they change."""
        return tuple(i for i, tag in enumerate(self.tags) if tag.rate == 0)

    @cached_property
    def rate(self) -> int:
        """Samples per step of the fast tags."""
        return max((tag.rate for tag in self.tags), default=1)

    @property
    def dt_ns(self) -> int:
        """Length of a step in nanoseconds."""
        return round(self.dt * 1e9)

    def tag_index(self, name: str) -> int:
        """Index of a tag; an unknown name raises `KeyError` with the names there are."""
        return _find(name, self.tags, self.id)

    def setpoint_index(self, name: str) -> int:
        """Index of a setpoint; an unknown name raises `KeyError` with the names there are."""
        return _find(name, self.setpoints, self.id)

    def fault_index(self, name: str) -> int:
        """Index of a fault of the process; an unknown name raises `KeyError` with the names there are."""
        return _find(name, self.faults, self.id)


def _find(name: str, specs: Sequence[Any], line: str) -> int:
    for i, spec in enumerate(specs):
        if spec.name == name:
            return i
    raise KeyError(f"{line} has no {name!r}: it has {', '.join(spec.name for spec in specs)}.")
