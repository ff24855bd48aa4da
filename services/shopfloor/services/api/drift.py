"""Drift: how far what a version sees, and how well it keeps its word, is from what it was."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from shopfloor.services.api.life import NAME_LENGTH
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.security.rights import Right
from shopfloor.services.thinking import Thinking
from starlette.responses import Response


class FeatureDrift(BaseModel):
    """A feature: its population stability index against training, and the test for a shifted mean.

    `level` is how near that test is to its threshold (1), `moved` when it last said so; null until a day was seen.
    """

    name: str
    psi: float
    level: float | None
    moved: float | None


class CoverageView(BaseModel):
    """Truths in the interval, and the bet that they fall outside more often than promised; it alarms at `threshold`."""

    windows: int
    measured: float
    nominal: float
    alarm: bool
    wealth: float
    threshold: float


class DriftView(BaseModel):
    """The drift of a version; `some` and `much` are what is commonly called so of an index."""

    name: str
    number: int
    time: float
    sentence: str
    rows: int
    since: float | None
    some: float
    much: float
    steps: int
    steps_missing: int
    features: list[FeatureDrift]
    coverage: CoverageView | None


def router(brain: Thinking) -> APIRouter:
    """`GET registry/{name}/drift`."""
    routes = Routes(tags=["registry"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/registry/{name}/drift", response_model=DriftView)
    def get_drift(name: Annotated[str, Path(max_length=NAME_LENGTH)], number: Annotated[int, Query(ge=1)]) -> Response:
        """See whether a version's features still look as in training; computed anew once a minute at most."""
        return answer(brain.drift(name, number))

    return routes
