"""Setting alarms aside: shelved for a time, or out of service until they are put back."""

from __future__ import annotations

from typing import Literal, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from shopfloor.plant.condition import Act
from shopfloor.services.alarms import Alarms, AsideKind
from shopfloor.services.answers import Answers
from shopfloor.services.api.alarms import AlarmView, Number, Seen, done, noted, signed
from shopfloor.services.api.answered import at_device
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import DEVICE, ERRORS, NO_JSON, NOT_FOUND
from shopfloor.services.clock import Clock
from shopfloor.services.historian import Calendar
from shopfloor.services.security.rights import Right
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

_SHIFT_NS = 8 * 3_600_000_000_000


class Reasoned(BaseModel):
    """Who does it, and why."""

    model_config = ConfigDict(str_strip_whitespace=True)

    by: str = Field(min_length=1, max_length=100, description="Who does it.")
    reason: str = Field(min_length=1, max_length=1_000, description="Why.")


class Shelving(Reasoned):
    """For how long: exactly one of `minutes` and `until`."""

    minutes: float | None = Field(None, gt=0, le=525_600, description="So many minutes.")
    until: Literal["end-of-shift"] | None = Field(
        None, description="Until the shift of the plant file ends; eight hours where it has none."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.minutes is None) == (self.until is None):
            raise ValueError("give exactly one of 'minutes' and 'until'")
        return self


def router(alarms: Alarms, answers: Answers, calendar: Calendar, clock: Clock) -> APIRouter:
    """`POST alarms/{number}/shelve`, `unshelve`, `out-of-service` and `in-service`."""
    routes = Routes(tags=["alarms"], responses=ERRORS | NOT_FOUND | NO_JSON | DEVICE)

    @routes.post("/alarms/{number}/shelve", dependencies=[needs(Right.SHELVE)], response_model=AlarmView)
    async def shelve(request: Request, number: Number, said: Shelving) -> Response:
        """Hide an alarm, and those of its condition to come, for a time; it comes back by itself.

        A condition of a device is shelved there where the device and the plant file let it be.
        """
        now = clock()
        until = ends(said, calendar, now)
        alarm = await run_in_threadpool(alarms.get, number)
        if answers.offered(alarm, Act.SHELVE):
            alarms.check_shelving(until)
            minutes = (until - now) / 6e10
            asked = {"by": said.by, "note": said.reason, "minutes": minutes}
            return await at_device(request, alarms, answers, alarm, Act.SHELVE, **asked)

        def here() -> Response:
            before = noted(alarms, number)
            return done(request, alarms, alarms.shelve(number, signed(request, said.by), until, said.reason), before)

        return await run_in_threadpool(here)

    @routes.post("/alarms/{number}/unshelve", dependencies=[needs(Right.SHELVE)], response_model=AlarmView)
    async def unshelve(request: Request, number: Number, said: Seen) -> Response:
        """Show it again, in the state that it has by now."""
        alarm = await run_in_threadpool(alarms.get, number)
        if answers.offered(alarm, Act.UNSHELVE):
            return await at_device(request, alarms, answers, alarm, Act.UNSHELVE, by=said.by, note=said.note)

        def here() -> Response:
            before = noted(alarms, number)
            by = signed(request, said.by)
            return done(request, alarms, alarms.put_back(number, AsideKind.SHELVED, by, said.note), before)

        return await run_in_threadpool(here)

    @routes.post(
        "/alarms/{number}/out-of-service", dependencies=[needs(Right.OUT_OF_SERVICE)], response_model=AlarmView
    )
    def take_out_of_service(request: Request, number: Number, said: Reasoned) -> Response:
        """Hide an alarm, and those of its condition to come, until somebody puts it back."""
        before = noted(alarms, number)
        return done(request, alarms, alarms.take_out_of_service(number, signed(request, said.by), said.reason), before)

    @routes.post("/alarms/{number}/in-service", dependencies=[needs(Right.OUT_OF_SERVICE)], response_model=AlarmView)
    def put_back(request: Request, number: Number, said: Seen) -> Response:
        """Show it again, in the state that it has by now."""
        before = noted(alarms, number)
        return done(
            request,
            alarms,
            alarms.put_back(number, AsideKind.OUT_OF_SERVICE, signed(request, said.by), said.note),
            before,
        )

    return routes


def ends(said: Shelving, calendar: Calendar, now: int) -> int:
    """When a shelving that begins now ends (UTC ns)."""
    if said.minutes is not None:
        return now + round(said.minutes * 6e10)
    if not calendar.shifts:
        return now + _SHIFT_NS
    return int(calendar.periods("shift", now, now + 1).edges[-1])
