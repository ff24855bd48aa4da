"""Journal: every time that an alarm was there, for those who learn from alarms."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.services.alarms import AlarmKind, Alarms, Occurrence, Wanted
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.historian.selector import Selector
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class OccurrenceView(BaseModel):
    """An alarm from when it was raised to when it returned (epoch ms; null: it is still there)."""

    number: int
    alarm: int
    asset: str | None
    tag: str | None
    kind: AlarmKind
    code: str
    priority: int
    title: str
    sentence: str
    start: float
    end: float | None


def view(one: Occurrence) -> dict[str, Any]:
    """An occurrence as the API shows it."""
    condition = one.condition
    return {
        "number": one.number, "alarm": one.alarm, "asset": condition.asset, "tag": condition.tag,
        "kind": condition.kind.value, "code": condition.code, "priority": condition.priority, "title": condition.title,
        "sentence": one.sentence, "start": to_ms(one.start), "end": None if one.end is None else to_ms(one.end),
    }  # fmt: skip


def router(alarms: Alarms, clock: Clock) -> APIRouter:
    """`GET alarms/journal`."""
    routes = Routes(tags=["alarms"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/alarms/journal", response_model=list[OccurrenceView])
    def get_journal(
        *,
        start: Annotated[float | None, Query(description="Epoch ms; by default an hour before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
        asset: Annotated[
            list[str] | None, Query(description="Selectors of assets; absent: all.", max_length=100)
        ] = None,
        tag: Annotated[str | None, Query(description="Full tag path, or its end: spindle.power.")] = None,
        kind: Annotated[AlarmKind | None, Query()] = None,
        code: Annotated[str | None, Query()] = None,
        priority: Annotated[int | None, Query(ge=1, le=3, description="This one or more urgent (1).")] = None,
        text: Annotated[str | None, Query(description="Part of the title or the sentence.", max_length=200)] = None,
        after: Annotated[int, Query(ge=0, lt=1 << 63, description="Only greater numbers: that of the last one.")] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    ) -> Response:
        """List every time that an alarm was there within a time, in the order of their numbers."""
        first, last = time_range(start, end, clock)
        wanted = Wanted([Selector(one) for one in asset or ()], tag, kind, code, priority, text)
        return answer([view(one) for one in alarms.journal(first, last, wanted, after, limit)])

    return routes
