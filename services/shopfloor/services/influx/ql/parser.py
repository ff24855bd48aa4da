"""From the text of a query to its statements, by recursive descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shopfloor.services.influx.ql import lexer
from shopfloor.services.influx.ql.cursor import Cursor
from shopfloor.services.influx.ql.lexer import QueryError, Token
from shopfloor.services.influx.ql.syntax import (
    Call,
    Column,
    Create,
    Expression,
    Field,
    Group,
    Math,
    Portion,
    Regex,
    Select,
    Show,
    Statement,
    calls,
    fields,
)
from shopfloor.services.influx.ql.times import where

FUNCTIONS: Final = ("count", "first", "last", "max", "mean", "min", "spread", "sum")
_LONGEST: Final = 200


def parse(query: str, now: int, bound: Mapping[str, Any] | None = None) -> list[Statement]:
    """The statements of a query; `now` is UTC ns, `bound` the values of $names. A mistake raises `QueryError`.

    >>> parse('SELECT mean("value") FROM "power" WHERE time > now() - 1h GROUP BY time(1m) ', 0)[0].group.every
    60000000000
    """
    cursor = Cursor(query, now, bound or {})
    statements: list[Statement] = []
    while cursor.peek().kind:
        if not cursor.take(";"):
            statements.append(_statement(cursor))
            if cursor.peek().kind and cursor.peek().text != ";":
                raise cursor.unexpected("';' or the end of the query")
    if not statements:
        raise QueryError("the query is empty: SELECT or SHOW was expected")
    if len(statements) > _LONGEST:
        raise QueryError(f"{len(statements)} statements were sent: send at most {_LONGEST} at once")
    return statements


def _statement(cursor: Cursor) -> Statement:
    if cursor.take("SELECT"):
        return _select(cursor)
    if cursor.take("SHOW"):
        return _show(cursor)
    if cursor.take("CREATE", "DATABASE"):
        name = cursor.name("a name")
        while cursor.peek().kind and cursor.peek().text != ";":
            cursor.pop()
        return Create(name)
    raise cursor.unexpected("SELECT, SHOW or CREATE DATABASE")


def _select(cursor: Cursor) -> Select:
    columns = cursor.listed(lambda: _column(cursor))
    if cursor.take("INTO"):
        raise QueryError("SELECT … INTO writes: this server is written to by line protocol only")
    cursor.need("FROM")
    database, sources = _sources(cursor)
    condition = where(cursor)
    group = _group(cursor)
    selected = Select(columns, sources, condition, group, _portion(cursor), database)
    _check(selected)
    return selected


def _check(select: Select) -> None:
    aggregates = [call for column in select.columns for call in calls(column.expression)]
    plain = [field for column in select.columns for field in fields(column.expression)]
    if not aggregates and not plain:
        raise QueryError("the query selects no field: name one, or *")
    if aggregates and plain:
        raise QueryError(f"{plain[0].name!r} stands beside an aggregate: select either fields or aggregates of them")
    if select.group.every and not aggregates:
        raise QueryError("GROUP BY time needs an aggregate, as in mean(value)")
    if select.group.fill != "null" and not select.group.every and not aggregates:
        raise QueryError("fill() needs an aggregate and GROUP BY time")


def _column(cursor: Cursor) -> Column:
    expression = _sum(cursor)
    return Column(expression, cursor.name("a name after AS") if cursor.take("AS") else "")


def _sum(cursor: Cursor) -> Expression:
    cursor.deeper()
    left = _product(cursor)
    while cursor.peek().text in {"+", "-"} and cursor.peek().kind == "sign":
        left = Math(cursor.pop().text, left, _product(cursor))
    return left


def _product(cursor: Cursor) -> Expression:
    left = _term(cursor)
    while cursor.peek().text in {"*", "/", "%"} and cursor.peek().kind == "sign":
        left = Math(cursor.pop().text, left, _term(cursor))
    return left


def _term(cursor: Cursor) -> Expression:
    if cursor.take("("):
        inner = _sum(cursor)
        cursor.need(")")
        return inner
    if cursor.take("*"):
        return Field("*")
    if cursor.take("-"):
        return Math("*", -1.0, _term(cursor))
    if cursor.peek().kind == "number":
        return float(cursor.pop().text)
    word = cursor.peek()
    name = cursor.name("a field, an aggregate or a number")
    if word.kind == "word" and cursor.take("("):
        return _call(cursor, word)
    cast(cursor)
    return Field(name)


def _call(cursor: Cursor, word: Token) -> Call:
    function = word.text.lower()
    if function not in FUNCTIONS:
        raise QueryError(f"{function}() at character {word.start + 1} is not answered here: {', '.join(FUNCTIONS)} are")
    field = "*" if cursor.take("*") else cursor.name(f"a field of {function}()")
    cast(cursor)
    cursor.need(")")
    return Call(function, field)


def cast(cursor: Cursor) -> str:
    """Take a type as in `"host"::tag`; it tells tags and fields apart, and here their names do."""
    return cursor.name("tag or field").lower() if cursor.take("::") else ""


def _sources(cursor: Cursor) -> tuple[str, tuple[str | Regex, ...]]:
    """The database, if one is named, and the measurements."""
    found = cursor.listed(lambda: _source(cursor))
    return found[0][0], tuple(measurement for _, measurement in found)


def _source(cursor: Cursor) -> tuple[str, str | Regex]:
    if cursor.peek().text == "(" and cursor.peek().kind == "sign":
        raise QueryError(f"a query in a query ({cursor.peek()}) is not answered here: a measurement was expected")
    parts: list[str | Regex] = []
    while True:
        pattern = cursor.regex()
        if pattern is None and cursor.take("."):
            parts.append("")
            continue
        parts.append(pattern if pattern is not None else cursor.name("a measurement"))
        if not cursor.take("."):
            break
    database = parts[0] if len(parts) == 3 else ""
    return str(database), parts[-1]


def _group(cursor: Cursor) -> Group:
    if not cursor.take("GROUP", "BY"):
        return Group(**_fill(cursor))
    tags: list[str | Regex] = []
    every = offset = 0
    everything = False
    while True:
        if cursor.take("*"):
            everything = True
        elif (pattern := cursor.regex()) is not None:
            tags.append(pattern)
        elif cursor.take("TIME", "("):
            every, offset = _buckets(cursor)
        else:
            tags.append(cursor.name("time(…), a tag or *"))
            cast(cursor)
        if not cursor.take(","):
            break
    return Group(None if everything else tuple(tags), every, offset, **_fill(cursor))


def _buckets(cursor: Cursor) -> tuple[int, int]:
    every = _duration(cursor)
    offset = 0
    if cursor.take(","):
        sign = -1 if cursor.take("-") else 1
        offset = sign * _duration(cursor)
    cursor.need(")")
    if every <= 0:
        raise QueryError("GROUP BY time(…) needs a duration above 0, as in time(1m)")
    return every, offset


def _duration(cursor: Cursor) -> int:
    if cursor.peek().kind != "duration":
        raise cursor.unexpected("a duration as in 10s, 5m or 1h")
    return lexer.duration(cursor.pop().text)


def _fill(cursor: Cursor) -> dict[str, Any]:
    if not cursor.take("FILL", "("):
        return {}
    sign = -1.0 if cursor.take("-") else 1.0
    token = cursor.pop()
    cursor.need(")")
    if token.kind == "number":
        return {"fill": "number", "number": sign * float(token.text)}
    if token.text.lower() not in {"null", "none", "previous", "linear"}:
        raise QueryError(f"found {token}: fill takes null, none, previous, linear or a number")
    return {"fill": token.text.lower()}


def _portion(cursor: Cursor) -> Portion:
    descending = False
    if cursor.take("ORDER", "BY"):
        cursor.need("TIME")
        descending = cursor.take("DESC")
        cursor.take("ASC")
    numbers = [
        cursor.whole(f"a whole number after {word}") if cursor.take(word) else 0
        for word in ("LIMIT", "OFFSET", "SLIMIT", "SOFFSET")
    ]
    if cursor.peek().text.lower() == "tz":
        raise QueryError("tz() is not answered here: times are UTC, shift buckets by GROUP BY time(1d, -8h)")
    limit, offset, series_limit, series_offset = numbers
    return Portion(limit, offset, series_limit, series_offset, descending)


def _show(cursor: Cursor) -> Show:
    what = next((words for words in _SHOWN if cursor.take(*words.upper().split())), None)
    if what is None:
        raise cursor.unexpected(f"one of {', '.join(word.upper() for word in _SHOWN)}")
    database = cursor.name("a database") if cursor.take("ON") else ""
    sources: tuple[str | Regex, ...] = ()
    if cursor.take("FROM"):
        named, sources = _sources(cursor)
        database = database or named
    if what == "measurements" and cursor.take("WITH", "MEASUREMENT"):
        sources = (_equal(cursor),)
    keys = _keys(cursor) if what == "tag values" else ()
    condition = where(cursor)
    return Show(what, sources, keys, condition, _portion(cursor), database)


_SHOWN: Final = (
    "databases", "measurements", "series", "tag keys", "tag values", "field keys", "retention policies"
)  # fmt: skip


def _keys(cursor: Cursor) -> tuple[str | Regex, ...]:
    cursor.need("WITH", "KEY")
    if not cursor.take("IN"):
        return (_equal(cursor),)
    cursor.need("(")
    keys = cursor.listed(lambda: cursor.name("a tag"))
    cursor.need(")")
    return keys


def _equal(cursor: Cursor) -> str | Regex:
    if cursor.take("="):
        return cursor.name("a name")
    cursor.need("=~")
    pattern = cursor.regex()
    if pattern is None:
        raise cursor.unexpected("a regex between slashes")
    return pattern
