"""Shapes of the registry's answers and questions."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass
from shopfloor.services.registry.gate import Evidence
from shopfloor.services.registry.words import Condition

NAME_LENGTH = 120
_SCOPE = Field("*", min_length=1, max_length=300, description="a selector of assets; * is all")
_BY = Field("", max_length=80, description="the person who decides")
_WHY = Field("", max_length=500)


class VersionView(BaseModel):
    """A submitted bundle: the address of its content, and its own identity."""

    number: int
    sha: str
    identity: str
    by: str
    time: float
    trained_at: float
    state: str


class RolloutView(BaseModel):
    """A version that spreads in waves."""

    number: int
    wave: int
    share: float
    line: str
    since: float
    by: str


class PlaceView(BaseModel):
    """What holds on a scope; numbers are those of versions."""

    scope: str
    champion: int | None
    since: float
    before: list[int]
    shadows: list[int]
    retired: list[int]
    proposed: int | None
    rollout: RolloutView | None
    alarm: str


class ModelLife(BaseModel):
    """A model: its versions, and where which of them holds."""

    name: str
    title: str
    target: str
    versions: list[VersionView]
    places: list[PlaceView]


@dataclass(frozen=True)
class EvidenceView(Evidence):
    """What is known of a version beside the one that it would replace, and which conditions of a promotion hold."""

    conditions: list[Condition]


class EventView(BaseModel):
    """A row of the audit."""

    sequence: int
    time: float
    what: str
    name: str
    number: int
    scope: str
    by: str
    why: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    detail: dict[str, Any] | None


class AuditView(BaseModel):
    """Whether the audit is whole, and its head: noted elsewhere, it proves later that nothing was rewritten."""

    whole: bool
    sentence: str
    events: int
    head: str


class Said(BaseModel):
    """A sentence about what happens now."""

    sentence: str


class Step(BaseModel):
    """A step on a scope: who takes it, and why."""

    model_config = ConfigDict(extra="forbid")

    scope: str = _SCOPE
    by: str = _BY
    why: str = _WHY


class VersionStep(Step):
    """A step of one version."""

    number: int = Field(ge=1, le=1_000_000)


class Promotion(VersionStep):
    """A promotion; `override` passes a gate that refuses, with a reason that the audit keeps."""

    override: bool = False


class Nothing(BaseModel):
    """An empty object."""

    model_config = ConfigDict(extra="forbid")


class LabelPost(BaseModel):
    """A truth: of a part, or of the windows that end within [start, end] (epoch ms).

    A number within [low, high], at least `low` without `high`; a class by its name as `truth`; 1 or 0 whether it was.
    """

    model_config = ConfigDict(extra="forbid")

    asset: str = Field(min_length=1, max_length=600)
    low: float | None = None
    high: float | None = None
    truth: str = Field("", max_length=200)
    part: str = Field("", max_length=200)
    start: float = 0.0
    end: float = 0.0


class Counted(BaseModel):
    """How many were kept."""

    kept: int
