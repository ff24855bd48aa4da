"""Production of a plant file: what the states of a machine mean, its counters, its ideal cycle, and reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from shopfloor.plant.config.section import Number, Section
from shopfloor.plant.config.units import Duration
from shopfloor.plant.config.words import guess


class Activity(StrEnum):
    """What a machine does in a state, as the time model of ISO 22400-2 sorts it."""

    RUNNING = "running"
    SETUP = "setup"
    DOWN = "down"
    BLOCKED = "blocked"
    STARVED = "starved"
    IDLE = "idle"
    PLANNED_STOP = "planned-stop"


def _activity(value: object) -> object:
    known = [str(name) for name in Activity]
    if isinstance(value, str) and value not in known:
        hint = guess(value, known) or f"write one of {', '.join(known)}"
        raise ValueError(f"{value!r} is nothing that a machine does: {hint}")
    return value


Reason = Annotated[str, Field(min_length=1, max_length=80)]


class ResultSection(Section):
    """A measured result of parts: what lies outside of `low` and `high` is scrap."""

    tag: str = Field(description="Tag of the measured value.")
    part: str = Field(description="Tag that says which part was measured: only the first value of each counts.")
    low: Number | None = Field(None, description="Least value of a good part.")
    high: Number | None = Field(None, description="Greatest value of a good part.")


class ProcessNames(Section):
    """What people call the indicators of a process."""

    output: str = Field("", max_length=80, description="What is made, as `Metal tapped`.")
    yields: str = Field("", max_length=80, description="The yield, as `Current efficiency`.")
    upset: str = Field("", max_length=80, description="Times that are `down`, as `Anode effects`.")


class ProcessSection(Section):
    """What a continuous process gives, and how much it could give by theory."""

    output: str = Field(description="Tag of what is made: with `after` the size of the newest portion, else a counter.")
    after: str = Field("", description="State whose end makes a portion, as `TAPPING`.")
    theory: str = Field("", description="Tag that says how much could be made, as the current of a cell.")
    per: Number = Field(0.0, ge=0, description="Output for one of `theory` during an hour: 0.3354 kg/kAh of aluminium.")
    names: ProcessNames = Field(ProcessNames(), description="What people call its indicators.")


class ProductionSection(Section):
    """How OEE, downtime, parts and energy are found for every asset of a type."""

    state: str = Field(description="Text tag of the machine's state, as in PackML.")
    states: dict[str, Annotated[Activity, BeforeValidator(_activity)]] = Field(
        description="What the machine does in each state; one that is not named is unknown time.", min_length=1
    )
    hold: Duration | None = Field(
        None, gt=0, description="How long a state counts without a new value; without it, until the next one."
    )
    loading: Duration = Field(
        0.0, description="An idle time no longer than this belongs to the cycle, and counts as running."
    )
    minor_stop: Duration = Field(
        300.0, gt=0, description="A stop no longer than this is a minor stop, and has no record of its own."
    )
    process: ProcessSection | None = Field(None, description="A continuous process, which makes no parts: pots, kilns.")
    count: str = Field("", description="Counter of parts made, good or not; not needed for a process.")
    scrap: str = Field("", description="Counter of parts that are scrap, where the machine knows.")
    ideal_cycle: Duration = Field(0.0, ge=0, description="Planned run time per part (PRI of ISO 22400-2).")
    item: str = Field("", description="Text tag that says what is made, for `ideal_cycles`.")
    ideal_cycles: dict[str, Duration] = Field({}, description="Planned run time per part of each item.")
    part: str = Field("", description="Tag with the number of the part on the machine, for genealogy.")
    lot: str = Field("", description="Text tag with the material lot, for genealogy.")
    result: ResultSection | None = Field(None, description="Measured results of parts.")
    parameters: tuple[str, ...] = Field((), description="Tags that are summarised over the time of each part.")
    energy: str = Field("", description="Counter of energy in kWh.")
    reasons: dict[Reason, tuple[Reason, ...]] = Field({}, description="Reasons of downtime, in groups: two taps.")
    scrap_reasons: tuple[Reason, ...] = Field((), description="Reasons of scrap and rework.")

    def tags(self) -> Iterator[tuple[tuple[str | int, ...], str, bool]]:
        """The tags that it reads: where each stands in it, its name, and whether it holds text."""
        places: list[tuple[tuple[str | int, ...], str, bool]] = [
            (("state",), self.state, True), (("item",), self.item, True), (("lot",), self.lot, True),
            *(((key,), getattr(self, key), False) for key in ("count", "scrap", "part", "energy")),
            *((("parameters", i), name, False) for i, name in enumerate(self.parameters)),
        ]  # fmt: skip
        if self.result:
            places += [(("result", "tag"), self.result.tag, False), (("result", "part"), self.result.part, False)]
        if self.process:
            places += [(("process", key), getattr(self.process, key), False) for key in ("output", "theory")]
        return ((place, name, text) for place, name, text in places if name)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for trouble in (self._making(), self._cycling(), self._stopping(), self._reasoning()):
            if trouble:
                raise ValueError(trouble)
        return self

    def _making(self) -> str:
        if self.process is None and not (self.count and self.ideal_cycle):
            return "what is made is not said: add 'count' and 'ideal_cycle' for parts, or 'process'"
        if self.process and self.process.after and self.process.after not in self.states:
            return f"{self.process.after!r} of 'process' is not one of its 'states': name it there"
        if self.process and bool(self.process.theory) != bool(self.process.per):
            return "'theory' and 'per' of 'process' belong together: give both, or none"
        return ""

    def _cycling(self) -> str:
        if self.ideal_cycles and not self.item:
            return "'ideal_cycles' are given without 'item': add the tag that says what is made"
        if any(seconds <= 0 for seconds in self.ideal_cycles.values()):
            return "an ideal cycle is no time at all: write how long a part takes at best, as in 90s"
        if Activity.RUNNING not in self.states.values():
            return "no state is 'running': name those in which parts are made"
        return ""

    def _stopping(self) -> str:
        if self.loading > self.minor_stop:
            return f"'loading' ({self.loading:g} s) is longer than 'minor_stop' ({self.minor_stop:g} s): write less"
        return ""

    def _reasoning(self) -> str:
        twice = [name for name, n in Counter(self.scrap_reasons).items() if n > 1]
        for group, reasons in self.reasons.items():
            if not reasons:
                return f"the group {group!r} of 'reasons' is empty: add its reasons, or remove it"
            if "/" in group:
                return f"the group {group!r} of 'reasons' has a '/': write another word"
            twice += [f"{group}/{name}" for name, n in Counter(reasons).items() if n > 1]
        return f"the reason {twice[0]!r} is given twice: keep one of them" if twice else ""
