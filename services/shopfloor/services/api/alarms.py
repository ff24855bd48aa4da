"""Alarms: what needs a person, and the acknowledgement that somebody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.plant.condition import Act
from shopfloor.services.alarms import Alarm, AlarmKind, Alarms, Aside
from shopfloor.services.alarms.pending import Asked as Pending
from shopfloor.services.alarms.state import UNSEEN
from shopfloor.services.answers import Answers, NotTaken
from shopfloor.services.api.load import LoadView, NotificationsView
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import DEVICE, ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms
from shopfloor.services.security.rights import Right
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

Number = Annotated[int, Path(ge=0, lt=1 << 63)]


class AcknowledgedView(BaseModel):
    """Who has seen it, when (epoch ms), and what they noted."""

    by: str
    time: float
    note: str


class AsideView(BaseModel):
    """What hides an alarm: who did it, when, until when (epoch ms; null: until it is put back), and why."""

    kind: Literal["shelved", "suppressed", "out-of-service"]
    by: str
    since: float
    until: float | None
    reason: str


class PendingView(BaseModel):
    """What somebody asked a device, which took it, when (epoch ms); its own event has not come yet."""

    act: Act
    by: str
    time: float


class DeviceView(BaseModel):
    """Where a condition of a device comes from, and what may be answered there.

    `keeps`: acknowledgements are kept there; `confirm`: it waits for a confirmation. `time` is by the device's clock.
    """

    source: str
    subject: str
    severity: int
    time: float
    keeps: bool
    answers: list[Act]
    confirm: bool
    pending: PendingView | None


class AlarmView(BaseModel):
    """An alarm: what, why, and what to do."""

    id: int
    asset: str | None
    tag: str | None
    kind: AlarmKind
    code: str
    priority: int
    state: Literal["active", "acknowledged", "returned", "latched", "latched-acknowledged", "closed"]
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
    latch: bool
    group: str
    first_out: bool
    aside: AsideView | None
    device: DeviceView | None


class Seen(BaseModel):
    """An acknowledgement."""

    model_config = ConfigDict(str_strip_whitespace=True)

    by: str = Field(min_length=1, max_length=100, description="Who has seen it.")
    note: str = Field("", max_length=1_000)


_WORDS: Final = (
    "asset", "tag", "code", "priority", "title", "sentence", "why", "advice", "value", "limit", "unit", "values",
    "latch", "group",
)  # fmt: skip


def shown(alarms: Alarms, alarm: Alarm) -> dict[str, Any]:
    """An alarm as it stands now."""
    return view(alarm, alarms.aside_of(alarm), alarms.pending.of(alarm.condition.key))


def view(alarm: Alarm, aside: Aside | None = None, pending: Pending | None = None) -> dict[str, Any]:
    """An alarm as the API shows it, what hides it, and what its device was asked."""
    condition, seen = alarm.condition, alarm.acknowledged
    return {
        "id": alarm.id,
        "kind": condition.kind.value,
        "state": alarm.state.value,
        "since": to_ms(alarm.since),
        "returned": None if alarm.returned is None else to_ms(alarm.returned),
        "acknowledged": {"by": seen.by, "time": to_ms(seen.time), "note": seen.note} if seen else None,
        **{word: getattr(condition, word) for word in _WORDS},
        "first_out": alarm.first_out,
        "aside": aside_view(aside) if aside else None,
        "device": _device(condition.device, pending) if condition.device else None,
    }


def _device(device: dict[str, Any], pending: Pending | None) -> dict[str, Any]:
    asked = {"act": pending.act.value, "by": pending.by, "time": to_ms(pending.time)} if pending else None
    words = ("source", "subject", "severity", "keeps", "answers", "confirm")
    return {word: device[word] for word in words} | {"time": to_ms(device["time"]), "pending": asked}


def aside_view(aside: Aside) -> dict[str, Any]:
    """What hides an alarm, as the API shows it."""
    until = None if aside.until is None else to_ms(aside.until)
    return {
        "kind": aside.kind.value, "by": aside.by, "since": to_ms(aside.since), "until": until, "reason": aside.reason
    }  # fmt: skip


def signed(request: Request, by: str) -> str:
    """Who does it: the name that was given, and the caller behind it when it is not this machine."""
    caller = getattr(request.state, "caller", "local")
    return by if caller == "local" else f"{by} ({caller})"


def noted(alarms: Alarms, number: int) -> dict[str, Any] | None:
    """What a step changes in an alarm, and whose it is, for the audit; None where there is no such alarm."""
    alarm = alarms.find(number)
    return _noted(shown(alarms, alarm)) if alarm else None


def done(request: Request, alarms: Alarms, alarm: Alarm, before: dict[str, Any] | None) -> Response:
    """The alarm after a step, which the audit notes beside what it was before."""
    after = shown(alarms, alarm)
    changed(request, before, _noted(after))
    return answer(after)


def _noted(shown: dict[str, Any]) -> dict[str, Any]:
    return {key: shown[key] for key in ("id", "asset", "tag", "code", "state", "acknowledged", "aside")}


def router(alarms: Alarms, answers: Answers, notifier: Callable[[], dict[str, Any]]) -> APIRouter:
    """`GET alarms`, and acknowledging and resetting them."""
    routes = Routes(tags=["alarms"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/alarms", response_model=list[AlarmView])
    def get_alarms(
        state: Annotated[
            Literal["open", "aside", "all"],
            Query(
                description="open: neither closed nor set aside, most urgent first; aside: shelved, suppressed, out of"
                " service, newest first."
            ),
        ] = "open",
        asset: Annotated[str | None, Query(description="Asset path; absent: all.")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    ) -> Response:
        """List the open alarms, those that are set aside, or the newest of all."""
        if state == "aside":
            hidden = [(a, alarm) for a, alarm in alarms.aside() if asset in {None, alarm.condition.asset}]
            return answer([view(alarm, aside) for aside, alarm in hidden[:limit]])
        found = alarms.open(asset)[:limit] if state == "open" else alarms.all(asset, limit)
        return answer([shown(alarms, alarm) for alarm in found])

    @routes.get("/alarms/load", response_model=LoadView)
    def get_load() -> Response:
        """Tell the alarm load of an operator beside the guide values of EEMUA 191 and ISA-18.2."""
        return answer(alarms.load())

    @routes.get("/alarms/notifications", response_model=NotificationsView)
    def get_notifications() -> Response:
        """Tell how many messages wait, how many were sent, and what is in the way."""
        return answer(notifier())

    @routes.post(
        "/alarms/{number}/acknowledge",
        dependencies=[needs(Right.ACKNOWLEDGE)],
        response_model=AlarmView,
        responses=NOT_FOUND | NO_JSON | DEVICE,
    )
    async def acknowledge(request: Request, number: Number, seen: Seen) -> Response:
        """Note who has seen an alarm; done twice, the first name stays. A condition is acknowledged at its device."""
        before = await run_in_threadpool(noted, alarms, number)
        by, alarm = signed(request, seen.by), await run_in_threadpool(alarms.get, number)
        if alarm.condition.device.get("keeps") and alarm.state in UNSEEN:
            await answers.acknowledge(alarm, by, seen.note)
            alarm = await run_in_threadpool(alarms.get, number)
        else:
            alarm = await run_in_threadpool(alarms.acknowledge, number, by, seen.note)
        return await run_in_threadpool(done, request, alarms, alarm, before)

    @routes.post(
        "/alarms/{number}/reset",
        dependencies=[needs(Right.ACKNOWLEDGE)],
        response_model=AlarmView,
        responses=NOT_FOUND | NO_JSON | DEVICE,
    )
    def reset(request: Request, number: Number, seen: Seen) -> Response:
        """Let a latched alarm go that has returned and was acknowledged; any other stays as it is."""
        before = noted(alarms, number)
        if before and alarms.get(number).condition.device:
            raise NotTaken(f"Alarm {number} is a condition of a device: confirm it, or reset it at the device.")
        alarm = alarms.reset(number, signed(request, seen.by), seen.note)
        return done(request, alarms, alarm, before)

    return routes
