"""History: the values of a tag over a time range, raw or drawn with about as many points as asked for."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final

import pyarrow as pa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from shopfloor.plant import Kind, Reader
from shopfloor.services.api.arrow import BOTH, EXPLAIN, check_rows, stream, wants_arrow
from shopfloor.services.api.columns import COLUMNS, columns, wants_columns
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer, times_ms
from shopfloor.services.catalog import Catalog, Entry
from shopfloor.services.clock import Clock, to_ms, to_ns
from shopfloor.services.historian.options import FOREVER
from shopfloor.services.historian.read.plan import explained
from shopfloor.services.security.rights import Right
from starlette.exceptions import HTTPException
from starlette.responses import Response

MOST_POINTS: Final = 20_000
_HOUR_MS: Final = 3_600_000.0
_LAST_MS: Final = 9_000_000_000_000.0
_FORMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": BOTH[200]["content"] | {COLUMNS: {}}, "description": BOTH[200]["description"]}
}


class History(BaseModel):
    """Columns of equal length. `low` and `high` are there when the picture was downsampled."""

    tag: str
    unit: str
    kind: str
    downsampled: bool
    time: list[float]
    value: list[float | int | str | None]
    low: list[float | None] | None = None
    high: list[float | None] | None = None
    quality: list[int]


def router(catalog: Catalog, reader: Reader, clock: Clock) -> APIRouter:
    """`GET history`."""
    routes = Routes(tags=["values"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/history", response_model=History, responses=_FORMS)
    def get_history(
        request: Request,
        tag: Annotated[str, Query(description="Full tag path.")],
        start: Annotated[float | None, Query(description="Epoch ms; by default an hour before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
        points: Annotated[int | None, Query(ge=1, le=MOST_POINTS, description="Absent: every stored value.")] = None,
        previous: Annotated[bool, Query(description="Begin with the value that holds at the start.")] = False,
    ) -> Response:
        """Give the history of a tag, as JSON, as Arrow, or as MessagePack with raw columns (by `Accept`)."""
        entry = catalog.find(tag)
        first, last = time_range(start, end, clock)
        downsampled = points is not None and entry.tag.kind is not Kind.TEXT
        with explained() as plan:
            if downsampled and points is not None:
                table = reader.downsample(entry.path, first, last, points)
                table = _with_previous(reader, entry, first, table) if previous else table
            else:
                table = _raw(_read(reader, entry, first, last, previous=previous), entry)
        if wants_arrow(request):
            return stream(table, {EXPLAIN: str(plan)}, tag=entry.path, unit=entry.tag.unit)
        if entry.tag.kind is not Kind.TEXT and wants_columns(request):
            return columns(table, {EXPLAIN: str(plan)}, tag=entry.path, unit=entry.tag.unit, downsampled=downsampled)
        check_rows(table.num_rows)
        return answer(_columns(table, entry, downsampled), headers={EXPLAIN: str(plan)})

    return routes


def time_range(start: float | None, end: float | None, clock: Clock) -> tuple[int, int]:
    """Start and end in ns; what is no time range raises 422."""
    end = to_ms(clock()) if end is None else end
    return time_limits(end - _HOUR_MS if start is None else start, end)


def time_limits(start: float | None, end: float | None) -> tuple[int, int]:
    """Start and end in ns, all of time where they are not given; what is no time range raises 422."""
    for name, value in (("start", start), ("end", end)):
        if value is not None and (not math.isfinite(value) or abs(value) > _LAST_MS):
            raise HTTPException(422, f"'{name}' is {value}: expected Unix epoch milliseconds, as in {_HOUR_MS:.0f}.")
    if start is not None and end is not None and start >= end:
        raise HTTPException(422, f"'start' ({start:.0f}) is not before 'end' ({end:.0f}): expected epoch milliseconds.")
    return FOREVER[0] if start is None else to_ns(start), FOREVER[1] if end is None else to_ns(end)


def _read(reader: Reader, entry: Entry, start: int, end: int, *, previous: bool) -> pa.Table:
    """Every stored value; a text is a state, so the one that holds at the start comes first."""
    return reader.read([entry.path], start, end, previous=previous or entry.tag.kind is Kind.TEXT)


def _with_previous(reader: Reader, entry: Entry, start: int, drawn: pa.Table) -> pa.Table:
    """A picture that begins with the value stored last before `start`: it held until the first one of the picture."""
    before = _raw(_read(reader, entry, start, start + 1, previous=True), entry).slice(0, 1)
    if not before.num_rows or before.column("time")[0].value >= start:
        return drawn
    value = before.column("value").cast(pa.float64())
    columns = {"time": before.column("time"), "value": value, "low": value, "high": value}
    first = pa.table(columns | {"quality": before.column("quality")}).cast(drawn.schema)
    return pa.concat_tables([first, drawn])


def _raw(table: pa.Table, entry: Entry) -> pa.Table:
    value = table.column("text" if entry.tag.kind is Kind.TEXT else "value")
    return pa.table({"time": table.column("time"), "value": value, "quality": table.column("quality")})


def _columns(table: pa.Table, entry: Entry, downsampled: bool) -> dict[str, Any]:
    columns = {
        "tag": entry.path,
        "unit": entry.tag.unit,
        "kind": entry.tag.kind.value,
        "downsampled": downsampled,
        "time": times_ms(table.column("time").cast(pa.int64()).to_numpy()),
        "value": _list(table.column("value")),
        "quality": table.column("quality").to_pylist(),
    }
    if downsampled:
        columns |= {"low": _list(table.column("low")), "high": _list(table.column("high"))}
    return columns


def _list(column: pa.ChunkedArray) -> list[Any]:
    if column.null_count or not pa.types.is_floating(column.type):
        return list(column.to_pylist())
    values: list[Any] = column.to_numpy().tolist()
    return values
