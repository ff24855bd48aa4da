"""A parsed query. Times and durations are nanoseconds; a regex is its RE2 text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Regex:
    """A pattern between slashes."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field or tag by name; `*` for all of them."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate of a field."""

    function: str
    field: str


@dataclass(frozen=True, slots=True)
class Math:
    """Arithmetic of columns and numbers."""

    operator: str
    left: Expression
    right: Expression


Expression: TypeAlias = "Field | Call | Math | float"


@dataclass(frozen=True, slots=True)
class Column:
    """A selected expression and its name, if one was given."""

    expression: Expression
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Compare:
    """A tag or field compared with a text, a regex (of =~ and !~), a number or a boolean."""

    name: str
    operator: Literal["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]
    value: str | float
    is_field: bool = False


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions joined by AND or OR."""

    operator: Literal["AND", "OR"]
    left: Condition
    right: Condition


Condition: TypeAlias = "Compare | Both | None"


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on tags and fields, and the span of time [start, end); None where it is open."""

    condition: Condition = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """GROUP BY: the tags (None: all of them), and buckets of `every` ns shifted by `offset`; 0 for none."""

    tags: tuple[str | Regex, ...] | None = ()
    every: int = 0
    offset: int = 0
    fill: Literal["null", "none", "previous", "linear", "number"] = "null"
    number: float = 0.0


@dataclass(frozen=True, slots=True)
class Portion:
    """Which rows of each series, and which series, to answer; 0 for all."""

    limit: int = 0
    offset: int = 0
    series_limit: int = 0
    series_offset: int = 0
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """A SELECT."""

    columns: tuple[Column, ...]
    sources: tuple[str | Regex, ...]
    where: Where
    group: Group
    portion: Portion
    database: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    """A SHOW: `what` is databases, measurements, series, tag keys, tag values, field keys or retention policies."""

    what: str
    sources: tuple[str | Regex, ...] = ()
    keys: tuple[str | Regex, ...] = ()
    where: Where = Where()
    portion: Portion = Portion()
    database: str = ""


@dataclass(frozen=True, slots=True)
class Create:
    """CREATE DATABASE: nothing to do, databases are there when something is written to them."""

    database: str


Statement: TypeAlias = Select | Show | Create


def calls(expression: Expression) -> list[Call]:
    """The aggregates in an expression."""
    if isinstance(expression, Math):
        return calls(expression.left) + calls(expression.right)
    return [expression] if isinstance(expression, Call) else []


def fields(expression: Expression) -> list[Field]:
    """The plain fields in an expression."""
    if isinstance(expression, Math):
        return fields(expression.left) + fields(expression.right)
    return [expression] if isinstance(expression, Field) else []
