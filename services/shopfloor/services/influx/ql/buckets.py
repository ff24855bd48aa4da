"""SELECT of aggregates: buckets of time from the historian's rollups where they fit, and what fill() makes of gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.influx.ql.conditions import sieve
from shopfloor.services.influx.ql.index import Place
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.rows import cut
from shopfloor.services.influx.ql.series import Groups, Series, Store, Values, check_size, evaluate, plain, titles
from shopfloor.services.influx.ql.summary import Held, Summary, moment, summarize
from shopfloor.services.influx.ql.syntax import Call, Field, Group, Select, calls

_OF_TEXTS: Final = frozenset({"count", "first", "last"})
_SELECTORS: Final = frozenset({"first", "last", "min", "max"})


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when, and whether the query says since when."""

    start: int
    end: int
    since: int | None


def takes(function: str, place: Place) -> bool:
    """Whether an aggregate can be made of a field."""
    return place.kind is not Kind.TEXT or function in _OF_TEXTS


def answer(store: Store, select: Select, name: str, groups: Groups) -> list[Series]:
    """A series for each group that has values."""
    wanted = list(dict.fromkeys(call for column in select.columns for call in calls(column.expression)))
    span = _span(store, select)
    if span.start >= span.end:
        return []
    places = _places(store, groups, wanted)
    every, shift = select.group.every, select.group.offset
    if every:
        check_size((span.end - span.start) // every * len(groups))
    asked = {field: {call.function for call in wanted if call.field == field} for field in places}
    found = {
        field: summarize(store, held, asked[field], span.start, span.end, every, shift)
        for field, held in places.items()
    }
    answers = []
    for number, group in enumerate(groups):
        parts = {field: summary.of(number) for field, summary in found.items()}
        if any(len(part.bucket) for part in parts.values()):
            rows = _timed(select, span, parts, wanted) if every else [_one(store, select, span, places, parts, number)]
            rows = rows[::-1] if select.portion.descending else rows
            answers.append(Series(name, dict(group), titles(select.columns), cut(rows, select.portion)))
    return answers


def _span(store: Store, select: Select) -> _Span:
    oldest, newest = store.span()
    where = select.where
    start = oldest if where.start is None else max(where.start, 0)
    latest = store.now + 1 if select.group.every else newest
    return _Span(start, latest if where.end is None else where.end, where.start)


def _places(store: Store, groups: Groups, wanted: list[Call]) -> dict[str, list[Held]]:
    """For each field where it is read, in which group, and which rows are meant."""
    places: dict[str, list[Held]] = {call.field: [] for call in wanted}
    for number, entries in enumerate(groups.values()):
        for entry in entries:
            known = store.index.fields(entry)
            for call in wanted:
                _check(call, known.get(call.field))
            for field, held in places.items():
                if field in known:
                    held.append(Held(known[field], number, sieve(entry, known)))
    return places


def _check(call: Call, place: Place | None) -> None:
    if place is not None and not takes(call.function, place):
        raise QueryError(f"{call.function}() of the text {call.field!r:.60}: count, first and last can be made")


def _timed(select: Select, span: _Span, parts: dict[str, Summary], wanted: list[Call]) -> list[list[Any]]:
    """The rows of one group, bucket by bucket."""
    group = select.group
    first = (span.start - group.offset) // group.every * group.every + group.offset
    if span.since is None:
        first = min(int(part.bucket[0]) for part in parts.values() if len(part.bucket))
    times = np.arange(first, span.end, group.every, dtype=np.int64)
    known: dict[Field | Call, Values] = {
        call: _filled(_column(call, parts[call.field], times), times, group, call) for call in wanted
    }
    columns = [evaluate(column.expression, known, len(times)) for column in select.columns]
    rows = [[time, *map(plain, row)] for time, row in zip(times.tolist(), zip(*columns, strict=True), strict=True)]
    return [row for row in rows if any(v is not None for v in row[1:])] if group.fill == "none" else rows


def _one(
    store: Store,
    select: Select,
    span: _Span,
    places: dict[str, list[Held]],
    parts: dict[str, Summary],
    number: int,
) -> list[Any]:
    """The only row of one group. A selector that stands alone has the time of its value."""
    known: dict[Field | Call, Values] = {
        call: [_scalar(call, parts[call.field])] for column in select.columns for call in calls(column.expression)
    }
    time = span.since or 0
    if len(known) == 1 and len(select.columns) == 1:
        (call,) = known
        assert isinstance(call, Call)  # noqa: S101 (an aggregate was asked for)
        if call.function in _SELECTORS and known[call][0] is not None:
            held = [part for part in places[call.field] if part.group == number]
            time = moment(store, call.function, parts[call.field], held, span.start, span.end)
    return [time, *(plain(evaluate(column.expression, known, 1)[0]) for column in select.columns)]


def _scalar(call: Call, part: Summary) -> Any:
    return part.column(call.function).tolist()[0] if len(part.bucket) else (0 if call.function == "count" else None)


def _column(call: Call, part: Summary, times: NDArray[np.int64]) -> Values:
    column: NDArray[Any] = np.full(len(times), None, object)
    place = np.searchsorted(times, part.bucket)
    column[place] = part.column(call.function).tolist()
    return list(column.tolist())


def _filled(values: Values, times: NDArray[np.int64], group: Group, call: Call) -> Values:
    if group.fill == "number" or (group.fill == "null" and call.function == "count"):
        return [group.number if value is None else value for value in values]
    if group.fill == "previous":
        last: Any = None
        return [last := last if value is None else value for value in values]
    return _between(values, times) if group.fill == "linear" else values


def _between(values: Values, times: NDArray[np.int64]) -> Values:
    """Straight lines over the gaps that have a value on either side."""
    known = [row for row, value in enumerate(values) if isinstance(value, int | float)]
    if len(known) < 2:
        return values
    line = np.interp(times - times[0], times[known] - times[0], [values[row] for row in known]).tolist()
    return [
        value if row in {*known} or not known[0] < row < known[-1] else line[row] for row, value in enumerate(values)
    ]
