"""Predictions: what the brain expects of every asset, how sure it is, and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from shopfloor.services.api.history import time_range
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.thinking import Thinking
from starlette.responses import Response


class ReasonView(BaseModel):
    """Why: a code and its numbers to translate, and the sentence in English."""

    code: str
    sentence: str
    tag: str = ""
    weight: float = 0.0
    values: dict[str, Any] = {}


class PredictionView(BaseModel):
    """A value with its interval: `coverage` of the truth falls inside."""

    model_config = ConfigDict(extra="allow")

    asset: str
    target: str
    title: str
    time: float
    value: float | None
    low: float | None
    high: float | None
    coverage: float
    unit: str
    status: Literal["ok", "watch", "act", "unknown"]
    sentence: str
    advice: str
    baseline: float | None
    reasons: list[ReasonView]
    model: str
    trained_at: float | None


class PredictionHistory(BaseModel):
    """How a prediction went, in columns."""

    time: list[float]
    value: list[float | None]
    low: list[float | None]
    high: list[float | None]


def router(catalog: Catalog, brain: Thinking, clock: Clock) -> APIRouter:
    """`GET predictions` and `GET predictions/history`."""
    routes = APIRouter(tags=["brain"], responses=ERRORS | NOT_FOUND)

    @routes.get("/predictions", response_model=list[PredictionView])
    def get_predictions(asset: Annotated[str | None, Query(description="Asset path; absent: all.")] = None) -> Response:
        """Give the newest prediction of every target."""
        return answer(brain.predictions(str(catalog.asset(asset).path) if asset else None))

    @routes.get("/predictions/history", response_model=PredictionHistory)
    def get_history(
        asset: Annotated[str, Query(description="Asset path.")],
        target: Annotated[str, Query(description="As in a prediction.", max_length=100)],
        start: Annotated[float | None, Query(description="Epoch ms; by default an hour before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
    ) -> Response:
        """Give the past predictions of one target of one asset."""
        first, last = time_range(start, end, clock)
        return answer(brain.history(str(catalog.asset(asset).path), target, first, last))

    return routes
