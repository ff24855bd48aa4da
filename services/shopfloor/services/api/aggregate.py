"""Aggregate: summaries of parts of the plant by the hour, the shift, the month."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import pyarrow as pa
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.plant import QuestionError, Reader
from shopfloor.plant.config.units import duration
from shopfloor.services.api.arrow import BOTH, EXPLAIN, check_rows, stream, wants_arrow
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer, times_ms
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.historian.options import NS
from shopfloor.services.historian.read.calendar import UNITS, Calendar, Periods, every
from shopfloor.services.historian.read.plan import Plan, explained
from shopfloor.services.historian.read.summary import summarize_by
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_PLACES: Final = ("group", "time", "end")
MOST_ROWS: Final = 2_000_000


class Parts(BaseModel):
    """Which tags, over which time, in which parts."""

    model_config = ConfigDict(extra="forbid")

    tags: Annotated[list[str], Field(min_length=1, max_length=1000)] = Field(
        description="Tag paths or their beginnings, with '*' for any part of a level."
    )
    start: float | None = Field(None, description="Epoch ms; by default an hour before the end.")
    end: float | None = Field(None, description="Epoch ms, exclusive; by default now.")
    every: str = Field(
        "hour",
        max_length=20,
        description="shift, hour, day, week or month of the plant's calendar (whole ones that the time touches);"
        " or a duration counted from the start, as in 5min; or all.",
    )
    by: Literal["tag", "asset", "cell", "line", "area", "site", "all"] = Field(
        "tag", description="What the values of several tags are put together by."
    )


class Question(Parts):
    """What to summarise, and which columns to answer."""

    of: Annotated[list[str], Field(max_length=20)] = Field(
        [], description="Only these columns, as in mean and max; all by default. Fewer cost less."
    )


class Summaries(BaseModel):
    """Columns of equal length; `group` is the path of the tag, or of the part of the plant."""

    every: str
    by: str
    group: list[str]
    time: list[float]
    end: list[float]
    shift: list[str] | None = None
    n: list[int] | None = None
    bad: list[int] | None = None
    mean: list[float | None] | None = None
    sum: list[float | None] | None = None
    increase: list[float | None] | None = None
    min: list[float | None] | None = None
    max: list[float | None] | None = None
    first: list[float | None] | None = None
    last: list[float | None] | None = None
    quality: list[int] | None = None


def router(catalog: Catalog, reader: Reader, calendar: Calendar, clock: Clock) -> APIRouter:
    """`POST aggregate`."""
    routes = Routes(tags=["values"], responses=ERRORS | NOT_FOUND | NO_JSON, dependencies=[needs(Right.SEE)])

    @routes.post("/aggregate", response_model=Summaries, responses=BOTH)
    def aggregate(request: Request, question: Question) -> Response:
        """Summarise tags over periods, as JSON or as Arrow (by `Accept`); X-Explain says what was read, and why."""
        first, last = time_range(question.start, question.end, clock)
        tags = catalog.select(question.tags)
        periods = periods_of(question.every, first, last, calendar)
        check_size(len(tags), -(-int(periods.edges[-1] - periods.edges[0]) // periods.step))
        with explained() as plan:
            table = summarize_by(reader, tags, periods, question.by, question.of)
        return reply(request, question, table, plan)

    return routes


def reply(request: Request, question: Parts, table: pa.Table, plan: Plan) -> Response:
    """The table as JSON or as Arrow (by `Accept`), with what was read."""
    headers = {EXPLAIN: str(plan)}
    if wants_arrow(request):
        return stream(table, headers, every=question.every, by=question.by)
    check_rows(table.num_rows)
    return answer({"every": question.every, "by": question.by, **_columns(table)}, headers=headers)


def periods_of(said: str, start: int, end: int, calendar: Calendar) -> Periods:
    """The periods that `Question.every` says; `QuestionError` where it says none."""
    if said in UNITS:
        return calendar.periods(said, start, end)
    try:
        length = end - start if said == "all" else round(duration(said) * NS)
    except ValueError as problem:
        raise QuestionError(f"'every' is {problem}; {', '.join(UNITS)} and all are known as well.") from problem
    if length <= 0:
        raise QuestionError("'every' is no time at all: write a longer duration, as in 5min.")
    return every(length, start, end)


def check_size(tags: int, steps: int) -> None:
    """`QuestionError` where so many tags in so many steps are too much."""
    if tags * steps > MOST_ROWS:
        raise QuestionError(
            f"{tags} tags in {steps} steps are too much at once: select fewer, longer periods, or less time."
        )


def _columns(table: pa.Table) -> dict[str, list[Any]]:
    """An answer as lists, times in epoch ms."""
    rest: dict[str, list[Any]] = {
        name: table.column(name).to_pylist() for name in table.column_names if name not in _PLACES
    }
    times = {name: times_ms(table.column(name).cast(pa.int64()).to_numpy()) for name in ("time", "end")}
    return {"group": table.column("group").to_pylist(), **times, **rest}
