"""What people answer a device about one of its conditions: confirmed, commented."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.plant.condition import Act
from shopfloor.services.alarms import Alarm, AlarmKind, Alarms
from shopfloor.services.answers import Answers, NotTaken
from shopfloor.services.api.alarms import AlarmView, Number, Seen, done, noted, signed
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import DEVICE, ERRORS, NO_JSON, NOT_FOUND
from shopfloor.services.security.rights import Right
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

_WORDS: Final = {Act.CONFIRM: "confirmations", Act.COMMENT: "comments"}


class Comment(BaseModel):
    """A comment that the device keeps with its condition."""

    model_config = ConfigDict(str_strip_whitespace=True)

    by: str = Field(min_length=1, max_length=100, description="Who says it.")
    note: str = Field(min_length=1, max_length=1_000)


async def at_device(
    request: Request, alarms: Alarms, answers: Answers, alarm: Alarm, act: Act, **said: Any
) -> Response:
    """Ask the device; the alarm as it stands then, with what is pending. `by` is who asks, as in the body."""
    before = await run_in_threadpool(noted, alarms, alarm.id)
    await answers.give(alarm, act, **said | {"by": signed(request, said["by"])})
    current = await run_in_threadpool(alarms.get, alarm.id)
    return done(request, alarms, current, before)


def router(alarms: Alarms, answers: Answers) -> APIRouter:
    """`POST alarms/{number}/confirm` and `comment`."""
    routes = Routes(tags=["alarms"], responses=ERRORS | NOT_FOUND | NO_JSON | DEVICE)

    @routes.post("/alarms/{number}/confirm", dependencies=[needs(Right.ACKNOWLEDGE)], response_model=AlarmView)
    async def confirm(request: Request, number: Number, said: Seen) -> Response:
        """Confirm at the device that what was needed has been done, where its condition waits for that."""
        return await _given(request, number, Act.CONFIRM, said.by, said.note)

    @routes.post("/alarms/{number}/comment", dependencies=[needs(Right.ACKNOWLEDGE)], response_model=AlarmView)
    async def comment(request: Request, number: Number, said: Comment) -> Response:
        """Leave a comment with the condition at its device."""
        return await _given(request, number, Act.COMMENT, said.by, said.note)

    async def _given(request: Request, number: int, act: Act, by: str, note: str) -> Response:
        alarm = await run_in_threadpool(alarms.get, number)
        if not answers.offered(alarm, act):
            whose = "the device" if alarm.condition.kind is AlarmKind.CONDITION else "an alarm of this server"
            raise NotTaken(f"Alarm {number} takes no {_WORDS[act]}: {whose} offers none.")
        return await at_device(request, alarms, answers, alarm, act, by=by, note=note)

    return routes
