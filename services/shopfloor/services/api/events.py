"""Events: what happened in the plant's software, newest first."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from shopfloor.services.alarms import Alarms
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class EventView(BaseModel):
    """One thing that happened; `subject` is an asset path, a source or a model."""

    time: float
    kind: str
    subject: str
    sentence: str
    detail: dict[str, Any]


def router(alarms: Alarms, clock: Clock) -> APIRouter:
    """`GET events`."""
    routes = Routes(tags=["alarms"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/events", response_model=list[EventView])
    def get_events(
        start: Annotated[float | None, Query(description="Epoch ms; by default a day before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
        asset: Annotated[str | None, Query(description="Asset path, source or model; absent: all.")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> Response:
        """List events, newest first."""
        end = to_ms(clock()) + 1_000 if end is None else end
        first, last = time_range(end - 86_400_000 if start is None else start, end, clock)
        return answer(
            [
                {
                    "time": to_ms(e.time),
                    "kind": e.kind.value,
                    "subject": e.subject,
                    "sentence": e.sentence,
                    "detail": e.detail,
                }
                for e in alarms.events(first, last, asset, limit)
            ]
        )

    return routes
