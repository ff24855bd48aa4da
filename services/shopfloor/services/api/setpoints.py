"""Setpoints: asked of a gateway, which judges, audits and passes them on; what came of it is an event as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.plant import Event, EventKind
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer, refused
from shopfloor.services.clock import Clock
from shopfloor.services.errands import Errands
from shopfloor.services.security.rights import Right
from starlette.exceptions import HTTPException
from starlette.responses import Response

Scalar = float | int | str


_NO_ANSWER: Final = refused({504: "The gateway did not answer: its audit says whether the device was asked."})


class SetpointPost(BaseModel):
    """What a device shall hold: one value, or the arguments of a method."""

    model_config = ConfigDict(extra="forbid")

    tag: str = Field(min_length=11, max_length=600)
    value: Scalar | list[Scalar]
    reason: str = Field("", max_length=500)


class OutcomeView(BaseModel):
    """What came of a setpoint: an OPC UA StatusCode, the value before and after, and one sentence."""

    tag: str
    asked: Scalar | list[Scalar]
    status: int
    status_name: str
    before: Any
    after: Any
    sentence: str


def router(errands: Errands, record: Callable[[Event], None], clock: Clock) -> APIRouter:
    """`POST gateways/{gateway}/setpoints`."""
    routes = Routes(tags=["gateway"], responses=ERRORS | NO_JSON | NOT_FOUND | _NO_ANSWER)

    @routes.post("/gateways/{gateway}/setpoints", dependencies=[needs(Right.SETPOINT)], response_model=OutcomeView)
    async def write(request: Request, gateway: Annotated[str, Path(max_length=100)], said: SetpointPost) -> Response:
        """Ask a device to hold a setpoint. The gateway refuses what its plant file does not allow."""
        by = str(request.scope.get("state", {}).get("caller", ""))
        outcome = await _outcome(errands, gateway, {**said.model_dump(), "by": by})
        changed(request, {"tag": said.tag, "value": outcome.get("before")}, outcome)
        record(_event(outcome, said, by, clock()))
        return answer(outcome)

    return routes


async def _outcome(errands: Errands, gateway: str, body: dict[str, Any]) -> dict[str, Any]:
    """The part that is an outcome. Without one the answer invites nobody to try again: a device may have acted."""
    sentence = f"The gateway {gateway} said nothing of {body['tag']}: look at its audit before you try again."
    async for part in errands.ask(errands.gateway(gateway), "write", body):
        if "status" in part:
            return part
        sentence = str(part.get("error", sentence))
    raise HTTPException(504, sentence)


def _event(outcome: dict[str, Any], said: SetpointPost, by: str, now: int) -> Event:
    written = int(outcome["status"]) >> 30 == 0
    kind = EventKind.SETPOINT_WRITTEN if written else EventKind.SETPOINT_REFUSED
    detail: dict[str, str | float | int] = {
        "tag": said.tag,
        "asked": str(said.value),
        "before": str(outcome.get("before")),
        "after": str(outcome.get("after")),
        "status": str(outcome.get("status_name")),
        "by": by,
        "reason": said.reason,
    }
    return Event(now, kind, said.tag.rpartition("/")[0], f"{by}: {outcome['sentence']}", detail)
