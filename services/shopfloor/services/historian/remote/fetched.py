"""SQL on a server store: what the question may read is fetched into memory first, and DuckDB runs on that."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import pyarrow as pa
from shopfloor.plant import QuestionError
from shopfloor.services.historian.options import FOREVER, HOUR, MINUTE
from shopfloor.services.historian.read.door import names
from shopfloor.services.historian.read.long import LongReader
from shopfloor.services.historian.read.plan import note
from shopfloor.services.historian.read.sql import STOPPED, Limits, Query, Tables, too_long

MOST_ROWS: Final = 2_000_000
"""Values that one query may fetch: about 100 MB."""

MOST_BUCKETS: Final = 200_000
_TAGS: Final = 20
Span = tuple[int, int]
Check = Callable[[], None]


def query(
    text: str, reader: LongReader, tags: Sequence[str], span: Span, limits: Limits, stopped: Callable[[], bool]
) -> Query:
    """A query on the values of these tags in [start, end), as a reader of any store gives them."""
    check = _limited(limits, stopped)
    buckets = partial(_buckets, reader, tags, span, check)
    makers: dict[str, Callable[[], pa.Table]] = {
        "names": partial(names, {tag: at for at, tag in enumerate(tags)}),
        "latest": partial(reader.latest, list(tags)),
        "samples": partial(_samples, reader, tags, span, check),
        "minutes": partial(buckets, MINUTE, "minutes"),
        "hours": partial(buckets, HOUR, "hours"),
    }
    return Query(text, Tables((), {}, makers), limits, stopped)


def _limited(limits: Limits, stopped: Callable[[], bool]) -> Check:
    until = time.monotonic() + limits.seconds

    def check() -> None:
        if stopped():
            raise QuestionError(STOPPED)
        if time.monotonic() > until:
            raise QuestionError(too_long(limits))

    return check


def _samples(reader: LongReader, tags: Sequence[str], span: Span, check: Check) -> pa.Table:
    tables, rows = [reader.read([], *span)], 0
    for table in reader.portions(tags, *span):
        check()
        tables.append(table)
        rows += table.num_rows
        if rows > MOST_ROWS:
            raise QuestionError(
                f"SQL on a server store fetches at most {MOST_ROWS:,} values, and these tags have more in this time:"
                " give fewer tags, or start and end closer together, or ask minutes or hours."
            )
    note("server", files=0, groups=len(tables) - 1, rows=rows)
    return pa.concat_tables(tables)


def _buckets(reader: LongReader, tags: Sequence[str], span: Span, check: Check, width: int, name: str) -> pa.Table:
    """Whole minutes or hours of the span, a few tags at a time."""
    start, end = span[0] // width * width, min(span[1], _after_latest(reader, tags))
    if span[0] == FOREVER[0]:
        raise QuestionError(f"On a server store, {name} need to know where to begin: give start with the query.")
    if len(tags) * -(-(end - start) // width) > MOST_BUCKETS:
        raise QuestionError(
            f"The {name} of {len(tags)} tags over so long a time are too many for a server store (at most"
            f" {MOST_BUCKETS:,}): give fewer tags, or start and end closer together."
        )
    tables = [reader.aggregate([], start, start + width, width)]
    for first in range(0, len(tags) if start < end else 0, _TAGS):
        check()
        tables.append(reader.aggregate(tags[first : first + _TAGS], start, end, width))
    note("server", files=0, groups=len(tables) - 1, rows=sum(table.num_rows for table in tables))
    return pa.concat_tables(tables)


def _after_latest(reader: LongReader, tags: Sequence[str]) -> int:
    latest = reader.latest(tags).column("time").cast(pa.int64())
    return max(latest.to_pylist(), default=0) + 1
