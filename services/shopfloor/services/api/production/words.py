"""What the routers of production share: times, names, and errors."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.services.api.history import time_limits
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.production import Production
from shopfloor.services.production.planned import Span

Start = Annotated[float | None, Query(description="Epoch ms; with neither start nor end: the shift of `at`.")]
End = Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")]
At = Annotated[float | None, Query(description="Epoch ms: the shift in which it lies; by default now.")]
Place = Annotated[str, Query(max_length=600, description="Path of a machine, or of a part of the plant; empty: all.")]
HOUR_NS: Final = 3_600_000_000_000


class Signed(BaseModel):
    """A step that a named person takes."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")

    by: str = Field(min_length=1, max_length=100, description="Who does it.")


class Commented(Signed):
    """A step with what its person says of it."""

    comment: str = Field("", max_length=1_000, description="Kept in the journal.")


def signed(request: Request, by: str) -> str:
    """Who did it, and with which token."""
    caller = getattr(request.state, "caller", "local")
    return by if caller == "local" else f"{by} ({caller})"


def span_of(production: Production, at: float | None, start: float | None, end: float | None) -> Span:
    """The time that is asked for."""
    time_limits(start, end)
    time_limits(at, None)
    ns = [None if ms is None else to_ns(ms) for ms in (at, start, end)]
    return production.span(*ns)


def told_span(production: Production, span: Span) -> dict[str, Any]:
    """A time, and the shifts around it."""
    before = production.planned.shift(span.start - 1)
    shift = production.planned.shift(span.start)
    after = shift.end if shift.end <= production.clock() else None
    return {
        "start": to_ms(span.start), "end": to_ms(span.end), "shift": span.name, "day": span.day,
        "shift_end": to_ms(shift.end), "before": to_ms(before.start), "after": None if after is None else to_ms(after),
    }  # fmt: skip
