"""The journal of transitions, in pages of JSON or as one CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from shopfloor.services.alarms import NEWEST, Alarms, Asked, Transition
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, answer
from shopfloor.services.clock import Clock, to_ms
from shopfloor.services.historian.selector import Selector
from shopfloor.services.security.rights import Right
from starlette.responses import Response, StreamingResponse

_DAY_MS: Final = 86_400_000
COLUMNS: Final = (
    "number", "time", "kind", "asset", "alarm", "title", "code", "priority", "before", "after", "by", "reason",
    "aside", "sentence",
)  # fmt: skip
_CSV: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")

Start = Annotated[float | None, Query(description="Epoch ms; by default a day before the end.")]
End = Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")]


class TransitionView(BaseModel):
    """One step in the life of an alarm, at a time (epoch ms), from a state to a state; `by` is empty for the server."""

    number: int
    time: float
    kind: str
    asset: str
    sentence: str
    alarm: int
    title: str
    code: str
    priority: int
    before: str
    after: str
    by: str
    reason: str
    aside: str


def asked(
    asset: Annotated[list[str] | None, Query(description="Selectors of assets; absent: all.", max_length=100)] = None,
    priority: Annotated[int | None, Query(ge=1, le=3, description="This one or more urgent (1).")] = None,
    text: Annotated[
        str | None, Query(description="Part of the title, the sentence, the name or the reason.", max_length=200)
    ] = None,
    state: Annotated[str | None, Query(description="The state that came of it, as in shelved.", max_length=30)] = None,
    alarm: Annotated[int | None, Query(ge=0, lt=1 << 63, description="Number of an alarm.")] = None,
) -> Asked:
    """Which transitions a question is about."""
    return Asked([Selector(one) for one in asset or ()], priority, text, state, alarm)


def router(alarms: Alarms, clock: Clock) -> APIRouter:
    """`GET alarms/transitions` and `alarms/transitions.csv`."""
    routes = Routes(tags=["alarms"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    def times(start: float | None, end: float | None) -> tuple[int, int]:
        end = to_ms(clock()) + 1_000 if end is None else end
        return time_range(end - _DAY_MS if start is None else start, end, clock)

    @routes.get("/alarms/transitions", response_model=list[TransitionView])
    def get_transitions(
        wanted: Annotated[Asked, Depends(asked)],
        start: Start = None,
        end: End = None,
        before: Annotated[int, Query(ge=1, lt=1 << 63, description="Only smaller numbers: the next page.")] = NEWEST,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> Response:
        """List what happened to alarms and who did it, newest first."""
        found = alarms.transitions(*times(start, end), wanted, before)
        return answer([asdict(one) | {"time": to_ms(one.time)} for one in islice(found, limit)])

    @routes.get("/alarms/transitions.csv", response_class=Response, responses=_CSV)
    def export(
        wanted: Annotated[Asked, Depends(asked)],
        start: Start = None,
        end: End = None,
    ) -> Response:
        """Give the whole of it as CSV, times as ISO 8601 in UTC."""
        found = alarms.transitions(*times(start, end), wanted)
        headers = {"Content-Disposition": 'attachment; filename="alarm-journal.csv"'}
        return StreamingResponse(_lines(found), headers=headers, media_type="text/csv; charset=utf-8")

    return routes


def _lines(found: Iterable[Transition]) -> Iterator[str]:
    """A byte order mark, so that spreadsheets read UTF-8; then portions of lines."""
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + ",".join(COLUMNS) + "\r\n"
    rows = iter(found)
    while portion := list(islice(rows, 500)):
        text = io.StringIO()
        csv.writer(text).writerows([_cell(one, name) for name in COLUMNS] for one in portion)
        yield text.getvalue()


def _cell(one: Transition, name: str) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe."""
    value = getattr(one, name)
    if name == "time":
        return datetime.fromtimestamp(value / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
