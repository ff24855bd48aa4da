"""Answers in InfluxDB's JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from shopfloor.services.influx.ql.lexer import DURATIONS
from shopfloor.services.influx.ql.series import Series

EPOCHS: Final = {**DURATIONS, "n": 1, "us": 1_000}
CHUNK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of one statement: its series, or the sentence of its error."""

    statement: int
    series: list[Series]
    error: str = ""


def timed(result: Result, epoch: str) -> Result:
    """The result with times in a unit, or as RFC 3339 texts when `epoch` is ""."""
    return replace(result, series=[_timed(series, EPOCHS.get(epoch, 0)) for series in result.series])


def _timed(series: Series, unit: int) -> Series:
    if series.columns[0] != "time":
        return series
    values = [[row[0] // unit if unit else rfc3339(row[0]), *row[1:]] for row in series.values]
    return replace(series, values=values)


def rfc3339(ns: int) -> str:
    """A moment as InfluxDB writes it.

    >>> rfc3339(1_500_000_000), rfc3339(0)
    ('1970-01-01T00:00:01.5Z', '1970-01-01T00:00:00Z')
    """
    whole, rest = divmod(ns, 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def body(result: Result) -> dict[str, Any]:
    """A result as JSON has it."""
    answer: dict[str, Any] = {"statement_id": result.statement}
    if result.series:
        answer["series"] = [_body(series) for series in result.series]
    return answer | ({"error": result.error} if result.error else {})


def _body(series: Series) -> dict[str, Any]:
    answer: dict[str, Any] = {"name": series.name} if series.name else {}
    if series.tags:
        answer["tags"] = dict(series.tags)
    return answer | {"columns": series.columns, "values": series.values}


def chunks(result: Result, size: int) -> Iterator[dict[str, Any]]:
    """A result in portions of at most `size` rows, one series each."""
    pieces = [
        replace(series, values=series.values[at : at + size])
        for series in result.series
        for at in range(0, len(series.values), size)
    ]
    if not pieces:
        yield body(result)
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        answer = body(replace(result, series=[piece]))
        if not last and pieces[number + 1].tags == piece.tags and pieces[number + 1].name == piece.name:
            answer["series"][0]["partial"] = True
        yield answer if last else answer | {"partial": True}


def table(results: list[Result]) -> str:
    """Results as CSV: name, tags and the columns, a new head for series with other columns."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    head: list[str] | None = None
    for result in results:
        if result.error:
            writer.writerows([["error"], [result.error]])
        for series in result.series:
            if series.columns != head:
                if head is not None:
                    sink.write("\n")
                head = series.columns
                writer.writerow(["name", "tags", *head])
            tags = tag_set(series.tags)
            writer.writerows([series.name, tags, *map(_cell, row)] for row in series.values)
    return sink.getvalue()


def tag_set(tags: Mapping[str, str]) -> str:
    r"""Tags as InfluxDB writes them in CSV and in the keys of series; those that a group does not have are left out.

    >>> print(tag_set({"path": "a b,c", "host": "", "disk": "1=2"}))
    disk=1\=2,path=a\ b\,c
    """
    return ",".join(f"{escaped(key)}={escaped(value)}" for key, value in sorted(tags.items()) if value)


def escaped(text: str, special: str = ",= ") -> str:
    """A name with a backslash before what would end it."""
    for character in special:
        text = text.replace(character, "\\" + character)
    return text


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and "e" in repr(value):
        return np.format_float_positional(value, trim="-")
    return value
