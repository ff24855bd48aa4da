"""Control charts of a plant file: which characteristic, how it is grouped, what is allowed, what is a signal."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator
from shopfloor.plant.config.section import Number, Section, Whole
from shopfloor.plant.config.units import Duration
from shopfloor.plant.config.words import guess


class ChartKind(StrEnum):
    """The kinds of control chart, after ISO 7870-2 (Shewhart), 7870-4 (CUSUM) and 7870-6 (EWMA)."""

    XBAR_R = "xbar-r"
    XBAR_S = "xbar-s"
    I_MR = "i-mr"
    P = "p"
    NP = "np"
    C = "c"
    U = "u"
    EWMA = "ewma"
    CUSUM = "cusum"


ATTRIBUTE: Final = frozenset({ChartKind.P, ChartKind.NP, ChartKind.C, ChartKind.U})
INSPECTED: Final = frozenset({ChartKind.P, ChartKind.NP, ChartKind.U})
WEIGHTED: Final = frozenset({ChartKind.EWMA, ChartKind.CUSUM})
AVERAGED: Final = frozenset({ChartKind.XBAR_R, ChartKind.XBAR_S})


class RuleName(StrEnum):
    """Tests for special causes: a set of them, or one by its number."""

    WESTERN_ELECTRIC = "western-electric"
    NELSON = "nelson"
    WESTERN_ELECTRIC_1 = "western-electric-1"
    WESTERN_ELECTRIC_2 = "western-electric-2"
    WESTERN_ELECTRIC_3 = "western-electric-3"
    WESTERN_ELECTRIC_4 = "western-electric-4"
    NELSON_1 = "nelson-1"
    NELSON_2 = "nelson-2"
    NELSON_3 = "nelson-3"
    NELSON_4 = "nelson-4"
    NELSON_5 = "nelson-5"
    NELSON_6 = "nelson-6"
    NELSON_7 = "nelson-7"
    NELSON_8 = "nelson-8"


def _rule(value: object) -> object:
    known = [str(name) for name in RuleName]
    if isinstance(value, str) and value not in known:
        hint = guess(value, known) or "write western-electric or nelson, or one of a set, as in nelson-5"
        raise ValueError(f"{value!r} is no rule: {hint}")
    return value


class SubgroupSection(Section):
    """What belongs together as a rational subgroup: exactly one of `size`, `every` and `parts`."""

    size: Whole | None = Field(None, ge=2, le=25, description="So many values in a row.")
    every: Duration | None = Field(None, gt=0, description="All values of each period, counted from 1970 in UTC.")
    parts: Whole | None = Field(None, ge=1, description="All values of so many parts, by `counter` or `inspected`.")
    counter: str = Field("", description="Tag that counts the parts.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("size", "every", "parts") if getattr(self, name) is not None]
        if len(ways) != 1:
            said = " and ".join(repr(name) for name in ways) or "none of 'size', 'every' and 'parts'"
            raise ValueError(f"a subgroup says {said}: give exactly one of the three")
        if self.counter and self.parts is None:
            raise ValueError("a 'counter' counts nothing without 'parts': add 'parts', or remove it")
        return self


class SpecificationSection(Section):
    """What is allowed of the characteristic: it says what is good, never what is usual."""

    low: Number | None = Field(None, description="Lower specification limit.")
    high: Number | None = Field(None, description="Upper specification limit.")
    target: Number | None = Field(None, description="Nominal value.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("a specification has neither 'low' nor 'high': give at least one of them")
        given = [value for value in (self.low, self.target, self.high) if value is not None]
        if any(not one < other for one, other in pairwise(given)):
            said = ", ".join(f"{value:g}" for value in given)
            raise ValueError(f"the specification {said} is not in order: write low < target < high")
        return self


class ChartSection(Section):
    """A control chart of every asset of a type."""

    chart: ChartKind = Field(description="Kind of chart.")
    tag: str = Field(description="Tag that is judged; for p, np, c and u the counter of what is wrong.")
    title: str = Field("", description="Name for people; by default the tag's.")
    part: str = Field("", description="Tag that changes with every measured part: only the first value of each counts.")
    inspected: str = Field("", description="Counter of what was inspected, for p, np and u.")
    subgroup: SubgroupSection | None = Field(None, description="What belongs together.")
    spec: SpecificationSection | None = Field(None, description="Specification limits, for capability.")
    rules: tuple[Annotated[RuleName, BeforeValidator(_rule)], ...] = Field(
        (RuleName.WESTERN_ELECTRIC,), description="What is a signal, besides a spread beyond its limits.", min_length=1
    )
    baseline: Whole = Field(25, ge=2, le=10_000, description="Subgroups of phase I, from which the limits are made.")
    centre: Number | None = Field(None, description="Given centre line, instead of phase I.")
    sigma: Number | None = Field(None, gt=0, description="Given standard deviation of single values, with `centre`.")
    weight: Number = Field(0.2, gt=0, le=1, description="Of the newest value in an EWMA.")
    width: Number = Field(3.0, gt=0, description="Limits of an EWMA, in its standard deviations.")
    slack: Number = Field(0.5, ge=0, description="k of a CUSUM, in standard deviations.")
    decision: Number = Field(5.0, gt=0, description="h of a CUSUM, in standard deviations.")
    lookback: Duration = Field(2_592_000.0, gt=0, description="How much history is read when the server starts.")
    alarm: bool = Field(False, description="Whether a signal raises an alarm.")
    priority: Whole = Field(3, ge=1, le=3, description="Of the alarm: 1 most urgent, 3 least.")
    advice: str = Field("", description="What to do about a signal: shown with the alarm.")

    def tags(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The tags that the chart reads, and where each stands in it."""
        counter = self.subgroup.counter if self.subgroup else ""
        places: list[tuple[tuple[str, ...], str]] = [
            (("tag",), self.tag), (("part",), self.part), (("inspected",), self.inspected),
            (("subgroup", "counter"), counter),
        ]  # fmt: skip
        return ((place, name) for place, name in places if name)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for trouble in (self._grouping(), self._counting(), self._judging()):
            if trouble:
                raise ValueError(trouble)
        return self

    def _grouping(self) -> str:
        kind, group = self.chart, self.subgroup
        if group is None:
            needed = "size" if kind in AVERAGED else "every" if kind in ATTRIBUTE else ""
            return f"a chart of kind {kind} has no 'subgroup': add 'subgroup: {{{needed}: …}}'" if needed else ""
        if kind is ChartKind.I_MR:
            return "a chart of single values has a 'subgroup': remove it, or write 'chart: xbar-r'"
        if kind in ATTRIBUTE and group.size is not None:
            return f"a chart of kind {kind} groups by 'size': counters have no single values; write 'every' or 'parts'"
        if group.parts is not None and not group.counter and kind not in INSPECTED:
            return "a subgroup of 'parts' names no 'counter': add the tag that counts them"
        return ""

    def _counting(self) -> str:
        if self.chart in INSPECTED and not self.inspected:
            return f"a chart of kind {self.chart} names no 'inspected': add the counter of what was inspected"
        if self.inspected and self.chart not in INSPECTED:
            return f"a chart of kind {self.chart} has 'inspected': remove it, or choose p, np or u"
        if self.chart in ATTRIBUTE:
            wrong = next((name for name in ("part", "spec", "sigma") if getattr(self, name)), "")
            return f"a chart of kind {self.chart} has {wrong!r}: it counts, so remove it" if wrong else ""
        return ""

    def _judging(self) -> str:
        if self.chart in WEIGHTED and "rules" in self.model_fields_set:
            return f"a chart of kind {self.chart} has 'rules': its own limits are its rule; remove them"
        if self.chart not in ATTRIBUTE and (self.centre is None) != (self.sigma is None):
            given, other = ("centre", "sigma") if self.sigma is None else ("sigma", "centre")
            return f"{given!r} is given without {other!r}: give both, or neither"
        return ""
