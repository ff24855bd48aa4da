"""Alarms of a plant file, after ISA-18.2: limits, what is suppressed by design, first-out groups, shelving."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from shopfloor.plant.config.notify import NotifySection
from shopfloor.plant.config.section import Number, Section, Whole
from shopfloor.plant.config.units import Duration


class LimitSection(Section):
    """An alarm limit after ISA-18.2: exactly one of `high` and `low`."""

    high: Number | None = Field(None, description="The alarm is raised above this value.")
    low: Number | None = Field(None, description="The alarm is raised below this value.")
    priority: Whole = Field(2, ge=1, le=3, description="1 most urgent, 3 least.")
    delay: Duration = Field(0.0, description="How long the value must stay beyond the limit first.")
    off_delay: Duration = Field(0.0, description="How long the value must stay back before the alarm returns.")
    deadband: Number = Field(0.0, ge=0, description="How far the value must come back before the alarm returns.")
    realarm: Duration | None = Field(
        None, gt=0, description="An acknowledged alarm that lasts so long asks for attention again."
    )
    latch: bool = Field(False, description="Whether an alarm that returned stays until somebody resets it.")
    advice: str = Field("", description="What the operator should do: shown with the alarm.")

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.high is None) == (self.low is None):
            said = "neither 'high' nor 'low'" if self.high is None else "both 'high' and 'low'"
            raise ValueError(f"a limit says {said}: give exactly one of them")
        return self


class SuppressSection(Section):
    """Alarms that mean nothing while their asset is in a state (suppressed by design)."""

    tag: str = Field("state", description="Text tag of the type that tells the state.")
    states: tuple[str, ...] = Field(description="While it is one of these, the alarms are suppressed.", min_length=1)
    tags: tuple[str, ...] = Field(("*",), description="Tags whose limits are meant, '*' for any part of a name.")
    models: tuple[str, ...] = Field((), description="Predictions whose alarms are meant, as in tool_life, or '*'.")
    conditions: tuple[str, ...] = Field((), description="Conditions of the device that are meant, by name, or '*'.")
    hold: Duration = Field(0.0, description="How long they stay suppressed after the state was left.")


class FirstOutSection(Section):
    """Alarms that follow from each other: the first of them is marked."""

    tags: tuple[str, ...] = Field(
        (), description="Tags whose limits and control charts belong together, '*' for any part."
    )
    models: tuple[str, ...] = Field((), description="Predictions whose alarms belong to it, as in tool_life, or '*'.")
    conditions: tuple[str, ...] = Field((), description="Conditions of the device that belong to it, by name, or '*'.")
    within: Duration = Field(60.0, gt=0, description="How long after the first an alarm counts as its consequence.")

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not (self.tags or self.models or self.conditions):
            raise ValueError("a first-out group names no alarms: give it 'tags', 'models' or 'conditions'")
        return self


class AlarmsSection(Section):
    """How alarms are handled in this plant."""

    shelve_at_most: Duration = Field(43_200.0, gt=0, description="The longest time for which an alarm can be shelved.")
    operators: Whole = Field(1, ge=1, le=1_000, description="Operators who share the alarms: the load is told for one.")
    retention: Duration | None = Field(
        None, ge=86_400.0, description="How long closed alarms and the journal are kept; by default for ever."
    )
    notify: NotifySection = Field(default_factory=NotifySection, description="Who is told outside the control room.")
