"""Read: every stored value of many tags, page by page, or as one Arrow stream of any length."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from shopfloor.plant import QuestionError
from shopfloor.services.api.arrow import BOTH, wants_arrow
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.portions import ArrowPortions, Gone, head, watched
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND, answer, times_ms
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.historian import History
from shopfloor.services.security.rights import Right
from starlette.responses import Response

MOST_PAGE: Final = 100_000


class Page(BaseModel):
    """Columns of equal length, by tag and then by time; `cursor` asks for what follows, null at the end."""

    tag: list[str]
    time: list[float]
    value: list[float | str | None]
    quality: list[int]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """After so many rows at this time (UTC ns) of this tag.

    >>> Place.parse(str(Place("a/b/c/d/e/f", 5, 1)))
    Place(tag='a/b/c/d/e/f', time=5, rows=1)
    """

    tag: str
    time: int
    rows: int

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.tag, self.time, self.rows]).encode()).decode()

    @classmethod
    def parse(cls, cursor: str) -> Place:
        """The place that a cursor names."""
        try:
            tag, time, rows = json.loads(base64.urlsafe_b64decode(cursor.encode()))
            return cls(str(tag), int(time), int(rows))
        except (binascii.Error, ValueError, TypeError) as problem:
            raise QuestionError("The cursor is not one of ours: send the one of the last page as it came.") from problem


def router(catalog: Catalog, reader: History, clock: Clock) -> APIRouter:
    """`GET history/read`."""
    routes = Routes(tags=["values"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/history/read", response_model=Page, responses=BOTH)
    async def read(
        request: Request,
        tag: Annotated[list[str], Query(description="Selectors of tags; repeat for more.", max_length=1000)],
        start: Annotated[float | None, Query(description="Epoch ms; by default an hour before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_PAGE, description="Most values of a page.")] = 10_000,
        cursor: Annotated[str | None, Query(max_length=2_000, description="Of the page before.")] = None,
    ) -> Response:
        """Give every value of some tags: JSON in pages, or (by `Accept`) everything as one Arrow stream."""
        first, last = time_range(start, end, clock)
        tags, place = catalog.select(tag), None if cursor is None else Place.parse(cursor)
        if wants_arrow(request):
            return ArrowPortions(batches(reader, tags, first, last, place))
        try:
            page = await watched(
                request.receive, lambda: _page(batches(reader, tags, first, last, place), limit, place), lambda: None
            )
        except Gone:
            return Response(status_code=499)
        return answer(page)

    return routes


def batches(
    reader: History, tags: Sequence[str], start: int, end: int, place: Place | None = None
) -> Generator[pa.RecordBatch]:
    """Every value of some tags, or what follows the place; at least one batch, so that the columns are known."""
    questions = [(tags, start)]
    if place is not None:
        if place.tag not in tags:
            raise QuestionError("The cursor belongs to another question: send the same tags with it.")
        after = tags[tags.index(place.tag) + 1 :]
        questions = [([place.tag], place.time), (after, start)]
    skip = place.rows if place else 0
    for names, begin in questions:
        for table in reader.portions(names, begin, end):
            before = min(skip, _at_once(table, place)) if place else 0
            yield from table.slice(before).combine_chunks().to_batches()
            skip = skip - before if before == table.num_rows else 0
    yield pa.RecordBatch.from_pylist([], reader.read([], start, end).schema)


def _at_once(table: pa.Table, place: Place) -> int:
    """How many rows at the beginning lie at the place: only these can have been on the page before."""
    time = table.column("time").cast(pa.int64()).to_numpy()
    return int(np.searchsorted(time, place.time, "right")) if table.column("tag")[0].as_py() == place.tag else 0


def _page(batches: Generator[pa.RecordBatch], limit: int, place: Place | None) -> dict[str, Any]:
    with closing(batches):
        table = head(batches, limit + 1)
    more, table = table.num_rows > limit, table.slice(0, limit)
    times = table.column("time").cast(pa.int64())
    tags = table.column("tag").to_pylist()
    value, text = (table.column(name).to_pylist() for name in ("value", "text"))
    return {
        "tag": tags,
        "time": times_ms(times.to_numpy()),
        "value": [v if x is None else x for v, x in zip(value, text, strict=True)],
        "quality": table.column("quality").to_pylist(),
        "cursor": str(_after(tags, times.to_pylist(), place)) if more else None,
    }


def _after(tags: Sequence[str], times: Sequence[int], place: Place | None) -> Place:
    """Behind the last row of a page; rows of its time on the page before count as well."""
    last = tags[-1], times[-1]
    keys = zip(reversed(tags), reversed(times), strict=True)
    same = next((n for n, key in enumerate(keys) if key != last), len(tags))
    if same == len(tags) and place is not None and (place.tag, place.time) == last:
        same += place.rows
    return Place(*last, same)
