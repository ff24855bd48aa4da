"""Models: how good each is, on assets and days it never saw, beside a trivial baseline."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.security.rights import Right
from shopfloor.services.thinking import Thinking
from starlette.responses import Response


class Metric(BaseModel):
    """A score beside that of the baseline."""

    name: str
    value: float | None
    baseline: float | None
    baseline_name: str
    unit: str
    better: Literal["lower", "higher"]
    beats: bool


class Coverage(BaseModel):
    """Share of the truth that fell inside the interval: promised, and measured."""

    nominal: float
    measured: float | None


class ModelView(BaseModel):
    """A model in use."""

    model_config = ConfigDict(extra="allow")

    name: str
    target: str
    title: str
    state: str
    trained_at: float | None
    cpu_s: float | None
    rows: int | None
    split: str
    metrics: list[Metric]
    coverage: Coverage | dict[str, Any] | None


def router(brain: Thinking) -> APIRouter:
    """`GET models`."""
    routes = Routes(tags=["brain"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/models", response_model=list[ModelView])
    def get_models() -> Response:
        """List the models with their scores."""
        return answer(brain.models())

    return routes
