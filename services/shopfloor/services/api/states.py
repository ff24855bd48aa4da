"""States: how long tags held each of their states, by the hour, the shift, the month."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel
from shopfloor.plant import Reader
from shopfloor.services.api.aggregate import Parts, check_size, periods_of, reply
from shopfloor.services.api.arrow import BOTH
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.historian.read.calendar import Calendar
from shopfloor.services.historian.read.plan import explained
from shopfloor.services.historian.read.states import time_in_state
from shopfloor.services.security.rights import Right
from starlette.responses import Response


class TimeInState(BaseModel):
    """Columns of equal length; a state of null is the time in which it is not known."""

    every: str
    by: str
    group: list[str]
    time: list[float]
    end: list[float]
    shift: list[str] | None = None
    state: list[str | None]
    seconds: list[float]
    share: list[float]


def router(catalog: Catalog, reader: Reader, calendar: Calendar, clock: Clock) -> APIRouter:
    """`POST states`."""
    routes = Routes(tags=["values"], responses=ERRORS | NOT_FOUND | NO_JSON, dependencies=[needs(Right.SEE)])

    @routes.post("/states", response_model=TimeInState, responses=BOTH)
    def states(request: Request, question: Parts) -> Response:
        """Sum how long tags held each state, as JSON or as Arrow (by `Accept`); X-Explain says what was read."""
        first, last = time_range(question.start, question.end, clock)
        tags = catalog.select(question.tags)
        periods = periods_of(question.every, first, last, calendar)
        check_size(len(tags), len(periods.edges) - 1)
        with explained() as plan:
            table = time_in_state(reader, tags, periods, question.by, now=clock())
        return reply(request, question, table, plan)

    return routes
