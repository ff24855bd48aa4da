"""Replays: what a version would have said over a stored time, and a recorded prediction made anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.services.api.life import NAME_LENGTH, Nothing
from shopfloor.services.api.needs import changed, needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.registry import Prediction, Registry
from shopfloor.services.replaying import Replaying, Wish
from shopfloor.services.security.rights import Right
from starlette.responses import Response

Name = Annotated[str, Path(max_length=NAME_LENGTH)]
Id = Annotated[str, Path(max_length=40)]
_LATEST = 4_102_444_800_000.0


class ReplayPost(BaseModel):
    """Which windows a version is replayed over, and what its errors cost. Times are epoch ms."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1, le=1_000_000)
    start: float = Field(ge=0, le=_LATEST)
    end: float = Field(ge=0, le=_LATEST)
    scope: str = Field("*", min_length=1, max_length=300)
    against: int | None = Field(None, ge=1, le=1_000_000, description="a version; by default the one that speaks")
    cost_false_alarm: float = Field(1.0, ge=0, le=1e12)
    cost_miss: float = Field(10.0, ge=0, le=1e12)
    by: str = Field("", max_length=80)


class ReplayView(BaseModel):
    """How far a replay is; `result` is there when it is done."""

    id: str
    name: str
    number: int
    state: Literal["running", "done", "failed", "cancelled"]
    progress: float
    sentence: str
    result: dict[str, Any] | None


class RecordedView(BaseModel):
    """A recorded prediction; `live` is false for a version that was only compared."""

    id: str
    asset: str
    number: int
    window_end: float
    live: bool
    value: float | None
    low: float | None
    high: float | None


class AgainView(BaseModel):
    """A recorded prediction and the same one made anew; `why` says what differs."""

    id: str
    name: str
    number: int
    asset: str
    window_end: float
    equal: bool
    why: str
    features: list[str]
    recorded: dict[str, float | None]
    anew: dict[str, float | None] | None


def router(registry: Registry, replays: Replaying) -> APIRouter:
    """`POST registry/{name}/replay`, its progress and its end; recorded predictions, and one of them anew."""
    routes = Routes(tags=["registry"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.post(
        "/registry/{name}/replay", dependencies=[needs(Right.REPLAY)], response_model=ReplayView, responses=NO_JSON
    )
    def begin(request: Request, name: Name, said: ReplayPost) -> Response:
        """Begin to replay a version over a stored time, beside the one that speaks; one at a time."""
        caller = str(request.scope.get("state", {}).get("caller", "local"))
        more = said.model_dump(exclude={"start", "end", "by"})
        wish = Wish(name=name, start=round(said.start * 1e6), end=round(said.end * 1e6), by=said.by or caller, **more)
        begun = replays.begin(wish)
        changed(request, None, _noted(begun))
        return answer(begun)

    @routes.get("/registry/replays", response_model=list[ReplayView])
    def newest() -> Response:
        """List the newest replays and how far they are; what came of them is told one by one."""
        return answer(replays.all())

    @routes.get("/registry/replays/{number}", response_model=ReplayView)
    def told(number: Id) -> Response:
        """See how far a replay is, and what came of it."""
        return answer(replays.told(number))

    @routes.post(
        "/registry/replays/{number}/cancel",
        dependencies=[needs(Right.REPLAY)],
        response_model=ReplayView,
        responses=NO_JSON,
    )
    def cancel(request: Request, number: Id, _: Nothing) -> Response:
        """End a replay."""
        before, after = replays.told(number), replays.cancel(number)
        changed(request, _noted(before), _noted(after))
        return answer(after)

    @routes.get("/registry/{name}/predictions", response_model=list[RecordedView])
    def recorded(
        name: Name, number: Annotated[int, Query(ge=1)], asset: Annotated[str, Query(max_length=600)],
        start: Annotated[float, Query(ge=0, le=_LATEST)], end: Annotated[float, Query(ge=0, le=_LATEST)],
        most: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:  # fmt: skip
        """List what a version said of an asset, the newest first."""
        registry.state.version(name, number)
        found = registry.scores.recorded(name, number, asset, round(start * 1e6), round(end * 1e6), most)
        return answer([_recorded(one) for one in found])

    @routes.post(
        "/registry/predictions/{number}/replay",
        dependencies=[needs(Right.REPLAY)],
        response_model=AgainView,
        responses=NO_JSON,
    )
    def again(number: Id, _: Nothing) -> Response:
        """Make a recorded prediction anew from the store, and compare it to the last bit."""
        return answer(replays.again(number))

    return routes


def _noted(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit keeps of a replay: which one, and how far it was."""
    return {key: told[key] for key in ("id", "name", "number", "state", "progress")}


def _recorded(said: Prediction) -> dict[str, Any]:
    shown = {key: getattr(said, key) for key in ("id", "asset", "number", "live", "value", "low", "high")}
    return {**shown, "window_end": said.window_end / 1e6}
