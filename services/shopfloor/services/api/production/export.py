"""Production as tables: OEE, stops, scrap, orders, processes and parts of a time, as files for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path
from shopfloor.services.api.needs import needs
from shopfloor.services.api.production import genealogy, oee, orders, process, scrap
from shopfloor.services.api.production.downtime import view
from shopfloor.services.api.production.words import At, End, Place, Start, span_of
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NOT_FOUND
from shopfloor.services.production import Production
from shopfloor.services.production.genealogy import parts_of
from shopfloor.services.production.planned import Span
from shopfloor.services.security.rights import Right
from starlette.responses import Response

What = Literal["oee", "downtime", "scrap", "orders", "process", "parts"]
Row = Mapping[str, Any]
_TEXT: Final = "text/csv; charset=utf-8"
_TIMES: Final = {"start", "end", "time", "created"}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {_TEXT: {"schema": {"type": "string"}}},
        "description": "A heading and a row for each; times in UTC",
    }
}


def performances(production: Production, place: str, span: Span) -> Iterable[Row]:
    """A row for every machine: its indicators, time elements (s) and counts."""
    for part in production.performance(production.making_parts(place), span):
        told = oee.view(part)
        yield {"path": told["path"], "title": told["title"], **told["kpis"], **told["times"], **told["counts"]}


def stops(production: Production, place: str, span: Span) -> Iterable[Row]:
    """A row for every stop."""
    mine = set(production.under(place))
    told = [view(production, stop) for stop in production.store.stops(span.start, span.end) if stop.asset in mine]
    return without(told, "suggested", "shares")


def entries(production: Production, place: str, span: Span) -> Iterable[Row]:
    """A row for every entry of scrap and rework."""
    mine = set(production.under(place))
    return [scrap.view(one) for one in production.store.entries(span.start, span.end) if one.asset in mine]


def ordered(production: Production, place: str, span: Span) -> Iterable[Row]:
    """A row for every order that ran or was planned in the time, whatever its place."""
    told = [
        orders.view(production, one)
        for one in production.orders.all(span.start, span.end)
        if one.place.startswith(place)
    ]
    return [dict(without([one], "runs")[0]) | {"lots": " ".join(one["lots"])} for one in told]


def units(production: Production, place: str, span: Span) -> Iterable[Row]:
    """A row for every unit of a continuous process."""
    for line in process.lines_of(production, place, span):
        for unit in line["units"]:
            yield without([unit], "states")[0] | {"unit": line["unit"]}


def parts(production: Production, place: str, span: Span) -> Iterable[Row]:
    """A row for every part."""
    for path in production.making_parts(place):
        for one in parts_of(production.reader, production.machines[path], span.start, span.end):
            yield genealogy.view(production, one)


TABLES: Final[Mapping[What, Callable[[Production, str, Span], Iterable[Row]]]] = {
    "oee": performances, "downtime": stops, "scrap": entries, "orders": ordered, "process": units, "parts": parts,
}  # fmt: skip


def without(rows: Iterable[Row], *names: str) -> list[dict[str, Any]]:
    """Rows without some of their columns."""
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def table(rows: Iterable[Row]) -> str:
    r"""Rows as a file of comma-separated values; the columns are those of the first row.

    >>> table([{"by": "=cmd()", "start": 0.0, "n": -1.5, "end": None}])
    "by,start,n,end\r\n'=cmd(),1970-01-01T00:00:00+00:00,-1.5,\r\n"
    """
    file, writer = io.StringIO(), None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
        writer.writerow({name: cell(name, value) for name, value in row.items()})
    return file.getvalue()


def cell(name: str, value: Any) -> Any:
    """A value as a spreadsheet reads it: a text that a person wrote is never a formula."""
    if name in _TIMES and value is not None:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat()
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t"} else value


def router(production: Production) -> APIRouter:
    """`GET production/export/{what}`."""
    routes = Routes(tags=["production"], responses=ERRORS | NOT_FOUND | _FILE, dependencies=[needs(Right.SEE)])

    @routes.get("/production/export/{what}")
    def get_table(
        what: Annotated[What, Path(description="Which table.")], place: Place = "",
        at: At = None, start: Start = None, end: End = None,
    ) -> Response:  # fmt: skip
        """Give a table of a shift or a time of your own, as comma-separated values."""
        span = span_of(production, at, start, end)
        day = datetime.fromtimestamp(span.start / 1e9, UTC).strftime("%Y-%m-%dT%H%MZ")
        named = {"Content-Disposition": f'attachment; filename="{what}-{day}.csv"'}
        return Response(table(TABLES[what](production, place, span)), media_type=_TEXT, headers=named)

    return routes
