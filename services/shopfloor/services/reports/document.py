"""What a report says, in numbers. Times are UTC ns, lengths of time seconds; renderers come after.

A section that is None, or empty, has no data: the report says so in one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["shift", "day"]


@dataclass(frozen=True, slots=True)
class Head:
    """Which time of which part of the plant, who asked, and when it was made. `end` is now while it is not over.

    `place` is a path, empty for the whole plant; `shift` is empty for a day, `day` its local date.
    """

    plant: str
    place: str
    title: str
    unit: Unit
    shift: str
    day: str
    start: int
    end: int
    over: bool
    timezone: str
    by: str
    made: int


@dataclass(frozen=True, slots=True)
class Account:
    """The ledger of one source, over all time; `sentence` says what is wrong."""

    gateway: str
    source: str
    accepted: int
    stored: int
    spooled: int
    dropped: int
    balanced: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No tag of these assets had a value from `start` to `end`."""

    assets: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much there was to report on: values, how many of them bad, when the newest came, and when none did.

    `tags` are those of the place, `silent` those without any value in the time.
    """

    values: int
    bad: int
    newest: int | None
    tags: int
    silent: int
    gaps: tuple[Silence, ...]
    accounts: tuple[Account, ...]


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
class Often:
    """An alarm and how often it came."""

    priority: int
    title: str
    asset: str
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that is there, since when."""

    priority: int
    title: str
    asset: str
    since: int


@dataclass(frozen=True, slots=True)
class AlarmLoad:
    """Alarms that asked for attention: how many, for one of `operators` an hour, and in the worst ten minutes.

    `hourly[i]` came in the hour after `hours[i]`; `floods` are pairs of begin and end.
    """

    count: int
    operators: int
    per_hour: float
    guide_per_hour: float
    peak_10min: float
    guide_peak: float
    priorities: dict[str, int]
    hours: tuple[int, ...]
    hourly: tuple[int, ...]
    floods: tuple[tuple[int, int], ...]
    often: tuple[Often, ...]
    standing: tuple[Standing, ...]


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
class EnergyLine:
    """KWh of a machine, while it ran and stood, its mean power (kW) while it stood, and what was good."""

    title: str
    kwh: float
    running: float
    standing: float
    base_load: float | None
    good: float


@dataclass(frozen=True, slots=True)
class Predicted:
    """A target of an asset: the newest prediction, and the least and greatest value in the time."""

    asset: str
    title: str
    value: float | None
    low: float | None
    high: float | None
    least: float | None
    most: float | None
    unit: str
    status: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What a model asked for: who acknowledged it, how many setpoints the asset then got, and when it ended."""

    asset: str
    title: str
    advice: str
    start: int
    end: int | None
    by: str
    setpoints: int


@dataclass(frozen=True, slots=True)
class Drift:
    """How far what a version of a model sees is from its training."""

    model: str
    version: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Written:
    """A setpoint that was asked for: by whom, and what came of it."""

    time: int
    tag: str
    asked: str
    before: str
    after: str
    status: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Noted:
    """What a person noted."""

    time: int
    by: str
    subject: str
    sentence: str


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


@dataclass(frozen=True, slots=True)
class Report:
    """A report as a whole."""

    head: Head
    data: Completeness
    oee: Oee | None
    downtime: Downtime | None
    orders: tuple[OrderLine, ...]
    rejects: tuple[Reject, ...]
    alarms: AlarmLoad
    charts: tuple[ChartLine, ...]
    energy: tuple[EnergyLine, ...]
    predictions: tuple[Predicted, ...]
    predicted: int
    advice: tuple[Advice, ...]
    drift: tuple[Drift, ...]
    setpoints: tuple[Written, ...]
    notes: tuple[Noted, ...]
    trends: tuple[Trend, ...]
