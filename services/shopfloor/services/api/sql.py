"""SQL: one SELECT on what the store holds, read only and bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Annotated, Any, Final

import pyarrow as pa
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.services.api.arrow import BOTH, EXPLAIN, MOST_JSON_ROWS, check_rows, wants_arrow
from shopfloor.services.api.history import time_limits
from shopfloor.services.api.needs import needs
from shopfloor.services.api.portions import ArrowPortions, Gone, head, watched
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer, times_ms
from shopfloor.services.catalog import Catalog
from shopfloor.services.historian import History
from shopfloor.services.historian.read.plan import explained
from shopfloor.services.historian.read.sql import Query
from shopfloor.services.security.rights import Right
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

AT_ONCE: Final = 2


class Statement(BaseModel):
    """One SELECT in DuckDB's SQL, and what it may see."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=20_000)] = Field(
        description="One SELECT on samples (tag, time, value, text, quality), minutes, hours, tags and latest."
    )
    tags: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Selectors of the tags that the tables hold; by default all."
    )
    start: float | None = Field(None, description="Epoch ms from which on the tables hold values; by default all.")
    end: float | None = Field(None, description="Epoch ms, exclusive.")


class Answer(BaseModel):
    """Rows as lists, in the order of `columns`; times are epoch ms."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]


def router(catalog: Catalog, reader: History) -> APIRouter:
    """`POST sql`."""
    routes = Routes(tags=["values"], responses=ERRORS | NOT_FOUND | NO_JSON, dependencies=[needs(Right.SEE)])
    turns = threading.BoundedSemaphore(AT_ONCE)

    def prepare(statement: Statement, stopped: Callable[[], bool]) -> tuple[Query, str]:
        tags = None if statement.tags is None else catalog.select(statement.tags)
        start, end = time_limits(statement.start, statement.end)
        with explained() as plan:
            query = reader.sql(statement.query, tags=tags, start=start, end=end, stopped=stopped)
        return query, str(plan)

    @routes.post("/sql", response_model=Answer, responses=BOTH)
    async def sql(request: Request, statement: Statement) -> Response:
        """Run one SELECT; JSON, or (by `Accept`) an Arrow stream of any length. X-Explain says what it may read."""
        if not turns.acquire(blocking=False):
            raise HTTPException(503, f"{AT_ONCE} queries are running: ask again soon.", {"Retry-After": "1"})
        gone = threading.Event()
        try:
            query, plan = await watched(request.receive, lambda: prepare(statement, gone.is_set), gone.set)
        except Gone:
            turns.release()
            return Response(status_code=499)
        except BaseException:
            turns.release()
            raise
        batches = _taking_turns(query, turns)
        if wants_arrow(request):
            return ArrowPortions(batches, query.cancel, {EXPLAIN: plan})
        try:
            table = await watched(request.receive, lambda: _whole(batches), query.cancel)
        except Gone:
            return Response(status_code=499)
        check_rows(table.num_rows)
        return await run_in_threadpool(lambda: answer(_rows(table), headers={EXPLAIN: plan}))

    return routes


def _whole(batches: Generator[pa.RecordBatch]) -> pa.Table:
    with closing(batches):
        return head(batches, MOST_JSON_ROWS + 1)


def _taking_turns(query: Query, turns: threading.BoundedSemaphore) -> Generator[pa.RecordBatch]:
    try:
        yield from query.batches()
    finally:
        turns.release()


def _rows(table: pa.Table) -> dict[str, Any]:
    columns = [_plain(column) for column in table.columns]
    return {
        "columns": table.column_names,
        "types": [str(column.type) for column in table.columns],
        "rows": [list(row) for row in zip(*columns, strict=True)],
    }


def _plain(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        whole = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
        times = times_ms(whole.fill_null(0).to_numpy())
        return [None if null else time for time, null in zip(times, column.is_null().to_pylist(), strict=True)]
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    return list(column.to_pylist())
