"""Health: one answer for people, pages and monitors."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.health import Health
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class Process(BaseModel):
    """A process of the plant's software."""

    name: str
    kind: str
    state: str
    pid: int | None
    rss_bytes: int | None
    cpu_percent: float | None
    values_per_s: float | None
    newest_time: float | None
    detail: str


class SourceHealth(BaseModel):
    """A source, as its gateway reports it."""

    model_config = ConfigDict(extra="allow")

    name: str
    kind: str
    gateway: str | None
    origin: str | None
    url: str
    state: str
    detail: str
    tags: int
    values_per_s: float
    newest_time: float | None
    newest_age_s: float | None
    good: int
    uncertain: int
    bad: int
    reconnects: int
    accepted: int
    spooled: int
    rejected: int
    dropped: int
    backfilled: int
    gaps: int


class History(BaseModel):
    """The import of recorded history, and the time range of the whole store (epoch ms)."""

    state: Literal["none", "importing", "complete"]
    rows: int
    rows_expected: int
    progress: float
    oldest: float | None
    newest: float | None


class BrainHealth(BaseModel):
    """Where the brain stands."""

    model_config = ConfigDict(extra="allow")

    state: str
    progress: float
    sentence: str
    cpu_s: float


class TargetHealth(BaseModel):
    """A copy of the store in a server store.

    `waiting` segments it has not taken yet; `refused` values it never will, which are set aside, with what it `said`.
    """

    target: str
    kind: str
    trouble: str
    waiting: int
    refused: int
    said: str


class StoreHealth(BaseModel):
    """How large the store is, and how it does.

    `ok`; `full` and `readonly`: it takes no values; `failed`: it tries again by itself; `damaged`: some files or
    batches cannot be read, everything else is served.
    """

    model_config = ConfigDict(extra="allow")

    rows: int
    bytes: int
    segments: int
    state: Literal["ok", "full", "readonly", "failed", "damaged"]
    sentence: str
    targets: list[TargetHealth] = []


class HealthAnswer(BaseModel):
    """Whether the plant is seen, and by whom; and by which clocks (IANA time zone) and shifts it works."""

    status: Literal["ok", "starting", "degraded"]
    sentence: str
    time: float
    version: str
    processes: list[Process]
    sources: list[SourceHealth]
    history: History
    brain: BrainHealth
    store: StoreHealth
    timezone: str
    shifts: list[str]


def router(health: Health) -> APIRouter:
    """`GET health`."""
    routes = Routes(tags=["plant"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/health", response_model=HealthAnswer)
    def get_health() -> Response:
        """Say how every process and every source does."""
        return answer(health.answer())

    return routes
