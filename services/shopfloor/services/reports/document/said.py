"""What models said and what people did in the time of a report."""

from __future__ import annotations

from dataclasses import dataclass


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
