"""Predictions: what the brain expects of every asset, how sure it is, and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from shopfloor.plant.errors import QuestionError
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.security.rights import Right
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


class FeatureShare(BaseModel):
    """A feature: its value, what is usual, and what it adds."""

    name: str
    value: float | None
    usual: float | None
    contribution: float


class GroupShare(BaseModel):
    """Features of one tag, what they add together, and the sentence."""

    code: str
    tag: str
    sentence: str
    contribution: float
    features: list[FeatureShare]


class About(BaseModel):
    """Which prediction, by which version of which model; `bundle` is its identity."""

    asset: str
    target: str
    title: str
    time: float
    unit: str
    model: str
    version: int
    bundle: str


class ExplanationView(About):
    """Contributions, strongest first: they add up to `value` less `usual`, to within `gap`, in units of `measure`."""

    measure: str
    value: float
    usual: float
    gap: float
    groups: list[GroupShare]


class Ends(BaseModel):
    """Where an interval begins and ends; null: it does not."""

    low: float | None
    high: float | None


class Now(Ends):
    """What is predicted now."""

    value: float


class ChangeView(BaseModel):
    """A setpoint, from where to where."""

    tag: str
    title: str
    unit: str
    before: float
    after: float


class LeftOut(BaseModel):
    """A setpoint that the model cannot judge, and why."""

    tag: str
    sentence: str


class AdviceView(About):
    """The fewest and smallest changes whose whole interval lies inside the goal, or none, honestly."""

    coverage: float
    goal: Ends
    now: Now
    found: bool
    sentence: str
    changes: list[ChangeView]
    promised: Ends | None
    tried: int
    left_out: list[LeftOut]
    caution: str


Asset = Annotated[str, Query(description="Asset path.")]
Target = Annotated[str, Query(description="As in a prediction.", max_length=100)]
End = Annotated[float | None, Query(allow_inf_nan=False)]


def router(catalog: Catalog, brain: Thinking, clock: Clock) -> APIRouter:
    """`GET predictions`, and of one: its `history`, `explanation` and `advice`."""
    routes = Routes(tags=["brain"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/predictions", response_model=list[PredictionView])
    def get_predictions(asset: Annotated[str | None, Query(description="Asset path; absent: all.")] = None) -> Response:
        """Give the newest prediction of every target."""
        return answer(brain.predictions(str(catalog.asset(asset).path) if asset else None))

    @routes.get("/predictions/history", response_model=PredictionHistory)
    def get_history(
        asset: Asset,
        target: Target,
        start: Annotated[float | None, Query(description="Epoch ms; by default an hour before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
    ) -> Response:
        """Give the past predictions of one target of one asset."""
        first, last = time_range(start, end, clock)
        return answer(brain.history(str(catalog.asset(asset).path), target, first, last))

    @routes.get("/predictions/explanation", response_model=ExplanationView)
    def get_explanation(asset: Asset, target: Target) -> Response:
        """Say why: what each tag and feature adds to the newest prediction, against what is usual for the asset."""
        return answer(brain.explain(str(catalog.asset(asset).path), target))

    @routes.get("/predictions/advice", response_model=AdviceView)
    def get_advice(asset: Asset, target: Target, low: End = None, high: End = None) -> Response:
        """Say which setpoints would bring the whole interval inside low and high (absent: where nobody would act)."""
        if low is not None and high is not None and low >= high:
            raise QuestionError(f"The goal from {low:g} to {high:g} has no inside: give low below high.")
        return answer(brain.advise(str(catalog.asset(asset).path), target, low, high))

    return routes
