"""Scores: what a version said of its newest windows, beside what the version said that spoke then."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from shopfloor.services.api.life import NAME_LENGTH
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.registry import Registry
from shopfloor.services.registry.scores import Beside
from shopfloor.services.security.rights import Right
from shopfloor.services.thinking import Thinking
from starlette.responses import Response


class ScoreView(BaseModel):
    """A window: what the version said, and the champion beside it (null where none spoke); `value` null: it failed."""

    asset: str
    time: float
    live: bool
    value: float | None
    low: float | None
    high: float | None
    champion: int | None
    champion_value: float | None
    champion_low: float | None
    champion_high: float | None


class LeftOutView(BaseModel):
    """An asset of the scope that the version cannot judge, and why."""

    asset: str
    sentence: str


class ScoresView(BaseModel):
    """The newest scores of a version, and what they mean: of `classes` a value is the place of one."""

    name: str
    number: int
    title: str
    unit: str
    kind: str
    classes: list[str]
    scores: list[ScoreView]
    left_out: list[LeftOutView]


def router(registry: Registry, brain: Thinking) -> APIRouter:
    """`GET registry/{name}/scores`."""
    routes = Routes(tags=["registry"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/registry/{name}/scores", response_model=ScoresView)
    def get_scores(
        name: Annotated[str, Path(max_length=NAME_LENGTH)], number: Annotated[int, Query(ge=1)],
        most: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:  # fmt: skip
        """Give the newest scores of a version, the newest first, each beside the champion's of the same window."""
        card = registry.state.version(name, number).card
        others = [version.number for version in registry.state.versions[name]]
        shown = [_score(one) for one in registry.scores.beside(name, number, others, most)]
        told = {"title": card.title, "unit": card.unit, "kind": card.kind, "classes": card.classes}
        left_out = list(brain.left_out(name, number))
        return answer({"name": name, "number": number, **told, "scores": shown, "left_out": left_out})

    return routes


def _score(one: Beside) -> dict[str, Any]:
    told = asdict(one)
    return {**told, "time": told.pop("window_end") / 1e6}
