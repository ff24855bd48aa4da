"""Alarms: what needs a person, and the acknowledgement that somebody knows."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.services.alarms import Alarm, Alarms
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms
from starlette.responses import Response


class AcknowledgedView(BaseModel):
    """Who has seen it, when (epoch ms), and what they noted."""

    by: str
    time: float
    note: str


class AlarmView(BaseModel):
    """An alarm: what, why, and what to do."""

    id: int
    asset: str | None
    tag: str | None
    kind: Literal["limit", "model", "source", "quality"]
    code: str
    priority: int
    state: Literal["active", "acknowledged", "returned", "closed"]
    title: str
    sentence: str
    why: str
    advice: str
    since: float
    returned: float | None
    acknowledged: AcknowledgedView | None
    value: float | None
    limit: float | None
    unit: str
    values: dict[str, float | str]


class Seen(BaseModel):
    """An acknowledgement."""

    model_config = ConfigDict(str_strip_whitespace=True)

    by: str = Field(min_length=1, max_length=100, description="Who has seen it.")
    note: str = Field("", max_length=1_000)


def view(alarm: Alarm) -> dict[str, Any]:
    """An alarm as the API shows it."""
    condition, seen = alarm.condition, alarm.acknowledged
    words = (
        "asset",
        "tag",
        "code",
        "priority",
        "title",
        "sentence",
        "why",
        "advice",
        "value",
        "limit",
        "unit",
        "values",
    )
    return {
        "id": alarm.id,
        "kind": condition.kind.value,
        "state": alarm.state.value,
        "since": to_ms(alarm.since),
        "returned": None if alarm.returned is None else to_ms(alarm.returned),
        "acknowledged": {"by": seen.by, "time": to_ms(seen.time), "note": seen.note} if seen else None,
        **{word: getattr(condition, word) for word in words},
    }


def router(alarms: Alarms) -> APIRouter:
    """`GET alarms` and `POST alarms/{id}/acknowledge`."""
    routes = APIRouter(tags=["alarms"], responses=ERRORS)

    @routes.get("/alarms", response_model=list[AlarmView])
    def get_alarms(
        state: Annotated[Literal["open", "all"], Query(description="open: not closed, most urgent first.")] = "open",
        asset: Annotated[str | None, Query(description="Asset path; absent: all.")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    ) -> Response:
        """List the open alarms, or the newest of all."""
        found = alarms.open(asset)[:limit] if state == "open" else alarms.all(asset, limit)
        return answer([view(alarm) for alarm in found])

    @routes.post("/alarms/{number}/acknowledge", response_model=AlarmView, responses=NOT_FOUND | NO_JSON)
    def acknowledge(request: Request, number: Annotated[int, Path(ge=0, lt=1 << 63)], seen: Seen) -> Response:
        """Note who has seen an alarm; done twice, the first name stays."""
        caller = getattr(request.state, "caller", "local")
        by = seen.by if caller == "local" else f"{seen.by} ({caller})"
        return answer(view(alarms.acknowledge(number, by, seen.note)))

    return routes
