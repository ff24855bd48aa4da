"""Series of an answer, and their values while they are computed: columns of numbers and texts with gaps (None)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shopfloor.services.historian import StoreReader
from shopfloor.services.influx.ql.index import Entry, Index
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.syntax import Call, Column, Expression, Field, Math, calls, fields

MOST_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Series:
    """A series of an answer; the first value of a row is its time in UTC ns where the first column is `time`."""

    name: str
    tags: Mapping[str, str]
    columns: list[str]
    values: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Store:
    """What a query is answered from: `span` gives the first moment and the one after the last that hold values."""

    reader: StoreReader
    index: Index
    span: Callable[[], tuple[int, int]]
    now: int


Values = list[Any]
Groups = Mapping[tuple[tuple[str, str], ...], list[Entry]]
_MATH: Final[dict[str, Callable[[float, float], float]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else 0.0,
    "%": lambda a, b: a % b if b else 0.0,
}


def evaluate(expression: Expression, known: Mapping[Field | Call, Values], count: int) -> Values:
    """The values of an expression, row by row; a gap on either side of an operator is a gap."""
    if isinstance(expression, Math):
        left, right = evaluate(expression.left, known, count), evaluate(expression.right, known, count)
        act = _MATH[expression.operator]
        return [
            act(a, b) if isinstance(a, int | float) and isinstance(b, int | float) else None
            for a, b in zip(left, right, strict=True)
        ]
    return [expression] * count if isinstance(expression, float) else known[expression]


def titles(columns: Sequence[Column]) -> list[str]:
    """Names of the columns as InfluxDB gives them: the alias, the aggregate or the field, numbered when repeated."""
    names: list[str] = ["time"]
    for column in columns:
        name = column.alias or "_".join(
            [call.function for call in calls(column.expression)] or [f.name for f in fields(column.expression)]
        )
        number = 1
        while name in names:
            name, number = f"{name.rpartition('_')[0] if number > 1 else name}_{number}", number + 1
        names.append(name)
    return names


def plain(value: Any) -> Any:
    """A value as InfluxDB writes it: a float without a fraction is a whole number in JSON."""
    if isinstance(value, float):
        if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 (NaN)
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value


def check_size(rows: int) -> None:
    """Refuse an answer that nobody could read."""
    if rows > MOST_ROWS:
        raise QueryError(
            f"the answer would have more than {MOST_ROWS} rows: ask for less time, a longer GROUP BY time(…) or a LIMIT"
        )
