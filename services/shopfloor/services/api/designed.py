"""Alarms of the design: what can come, and setting it aside before it does."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from shopfloor.services.alarms import NORMAL, AlarmKind, Alarms
from shopfloor.services.alarms.designed import Foreseen
from shopfloor.services.alarms.state import State
from shopfloor.services.api.alarms import AlarmView, AsideView, aside_view, done, noted, signed
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.shelving import Reasoned, Shelving, ends
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.historian import Calendar
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_Key = Annotated[str, Field(min_length=1, max_length=1_000, description="The key of an alarm of the design.")]


class DesignedView(BaseModel):
    """An alarm that can come: how it stands (`normal`: it is not there), since when it last was (null: never).

    `alarm` is the number of the newest one; null: it never came.
    """

    key: str
    kind: AlarmKind
    asset: str | None
    tag: str | None
    code: str
    priority: int
    title: str
    limit: float | None
    unit: str
    values: dict[str, float | str]
    latch: bool
    state: str
    alarm: int | None
    since: float | None
    aside: AsideView | None


class ForeseenShelving(Shelving):
    """Which alarm, and for how long."""

    key: _Key


class ForeseenReasoned(Reasoned):
    """Which alarm, who does it, and why."""

    key: _Key


_WORDS: Final = ("key", "asset", "tag", "code", "priority", "title", "limit", "unit", "values", "latch")


def router(alarms: Alarms, calendar: Calendar, clock: Clock) -> APIRouter:
    """`GET alarms/designed`, `POST alarms/designed/shelve` and `out-of-service`."""
    routes = Routes(tags=["alarms"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/alarms/designed", response_model=list[DesignedView])
    def get_designed(
        asset: Annotated[str | None, Query(description="Asset path; absent: all.")] = None,
    ) -> Response:
        """List the alarms that can come of limits, control charts, predictions and sources, and how they stand."""
        return answer([_view(one) for one in alarms.designed.all(asset)])

    @routes.post(
        "/alarms/designed/shelve",
        dependencies=[needs(Right.SHELVE)],
        response_model=AlarmView,
        responses=NOT_FOUND | NO_JSON,
    )
    def shelve(request: Request, said: ForeseenShelving) -> Response:
        """Hide an alarm for a time before it comes."""
        until = ends(said, calendar, clock())
        alarms.check_shelving(until)
        number = alarms.designed.alarm(said.key).id
        before = noted(alarms, number)
        return done(request, alarms, alarms.shelve(number, signed(request, said.by), until, said.reason), before)

    @routes.post(
        "/alarms/designed/out-of-service",
        dependencies=[needs(Right.OUT_OF_SERVICE)],
        response_model=AlarmView,
        responses=NOT_FOUND | NO_JSON,
    )
    def take_out_of_service(request: Request, said: ForeseenReasoned) -> Response:
        """Hide an alarm before it comes, until somebody puts it back."""
        number = alarms.designed.alarm(said.key).id
        before = noted(alarms, number)
        return done(request, alarms, alarms.take_out_of_service(number, signed(request, said.by), said.reason), before)

    return routes


def _view(one: Foreseen) -> dict[str, Any]:
    alarm = one.alarm
    there = alarm is not None and alarm.state is not State.CLOSED
    return {
        **{word: getattr(one.condition, word) for word in _WORDS},
        "kind": one.condition.kind.value,
        "state": alarm.state.value if alarm and there else NORMAL,
        "alarm": alarm.id if alarm else None,
        "since": to_ms(alarm.since) if alarm and alarm.since else None,
        "aside": aside_view(one.aside) if one.aside else None,
    }
