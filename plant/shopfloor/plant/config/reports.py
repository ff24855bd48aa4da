"""Reports of a plant file: which are made by themselves, for whom, and how long they are kept."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from shopfloor.plant.config.section import Name, Section, Whole
from shopfloor.plant.config.times import TimeOfDay, minutes
from shopfloor.plant.config.units import Duration


class ReportSection(Section):
    """A report that is made after every shift or every day."""

    name: Name = Field(description="What people call it.")
    every: Literal["shift", "day"] = Field(description="What it is about: each shift, or each local day.")
    shifts: tuple[Name, ...] = Field((), description="Only these shifts; by default all.")
    after: Duration = Field(
        300.0, ge=0, le=43_200, description="How long after the end it is made: values may be on their way."
    )
    at: TimeOfDay | None = Field(None, description="Of a day: the local time of the next day at which it is made.")
    line: str = Field("", description="Path of a line, or of any part of the plant; by default the whole plant.")
    language: Literal["en", "zh"] = Field("en", description="Language of the report.")
    format: Literal["pdf", "html"] = Field("pdf", description="What kind of file it is.")
    mail: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field(
        (), description="Addresses that it is sent to, by the mail server of 'alarms.notify'."
    )

    @property
    def minutes(self) -> int | None:
        """When the report of a day is made, in minutes after midnight of the next day."""
        return None if self.at is None else minutes(self.at)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.every == "shift" and self.at is not None:
            raise ValueError(f"the report {self.name!r} of a shift has 'at': write 'after', or 'every: day'")
        if self.every == "day" and self.shifts:
            raise ValueError(f"the report {self.name!r} of a day has 'shifts': remove them, or write 'every: shift'")
        if self.at is not None and "after" in self.model_fields_set:
            raise ValueError(f"the report {self.name!r} has 'at' and 'after': give one of them")
        return self


class ReportsSection(Section):
    """Reports of shifts and days."""

    schedule: tuple[ReportSection, ...] = Field((), description="Reports that are made by themselves.")
    keep: Duration = Field(34_560_000.0, ge=86_400, description="How long a report is kept; by default 400 days.")
    most: Whole = Field(2_000, ge=1, le=100_000, description="How many are kept; the oldest go first.")

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [report.name for report in self.schedule]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), "")
        if twice:
            raise ValueError(f"the report {twice!r} is given twice: rename one of them")
        return self
