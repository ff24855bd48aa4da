"""From the text of a query to its statements, by recursive descent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shopfloor.services.influx.ql import lexer
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
_DEEPEST: Final = 100


def parse(query: str, now: int, bound: Mapping[str, Any] | None = None) -> list[Statement]:
    """The statements of a query; `now` is UTC ns, `bound` the values of $names. A mistake raises `QueryError`.

    >>> parse('SELECT mean("value") FROM "power" WHERE time > now() - 1h GROUP BY time(1m) ', 0)[0].group.every
    60000000000
    """
    parser = Parser(query, now, bound or {})
    statements: list[Statement] = []
    while parser.peek().kind:
        if not parser.take(";"):
            statements.append(_statement(parser))
            if parser.peek().kind and parser.peek().text != ";":
                raise parser.unexpected("';' or the end of the query")
    if not statements:
        raise QueryError("the query is empty: SELECT or SHOW was expected")
    if len(statements) > _LONGEST:
        raise QueryError(f"{len(statements)} statements were sent: send at most {_LONGEST} at once")
    return statements


class Parser:
    """A place in a query."""

    def __init__(self, query: str, now: int, bound: Mapping[str, Any]) -> None:
        self.query, self.now, self._bound = query, now, bound
        self._at = 0
        self._depth = 0
        self._next: Token | None = None

    def peek(self) -> Token:
        """The next token."""
        if self._next is None:
            self._next = self._filled(lexer.token(self.query, self._at))
        return self._next

    def pop(self) -> Token:
        """Take the next token."""
        token = self.peek()
        self._at, self._next = token.end, None
        return token

    def take(self, *words: str) -> bool:
        """Take these words or signs if they are next, in any case of letters."""
        at, saved = self._at, self._next
        for word in words:
            if self.peek().kind not in {"word", "sign"} or self.peek().text.upper() != word:
                self._at, self._next = at, saved
                return False
            self.pop()
        return True

    def need(self, *words: str) -> None:
        """Take these words, or raise."""
        if not self.take(*words):
            raise self.unexpected(" ".join(words))

    def name(self, what: str) -> str:
        """Take a name, quoted or not."""
        if self.peek().kind not in {"word", "name"}:
            raise self.unexpected(what)
        return self.pop().text

    def whole(self, what: str) -> int:
        """Take a whole number."""
        if self.peek().kind != "number" or not self.peek().text.isdecimal():
            raise self.unexpected(what)
        return int(self.pop().text)

    def regex(self) -> Regex | None:
        """Take a regex if one is next."""
        found = lexer.regex(self.query, self._at)
        if found is None:
            return None
        self._at, self._next = found.end, None
        return Regex(found.text)

    def listed(self, item: Callable[[], Any]) -> tuple[Any, ...]:
        """Items with commas between them."""
        items = [item()]
        while self.take(","):
            items.append(item())
        return tuple(items)

    def deeper(self) -> None:
        """Count a nested expression, so that no query is too deep for the stack."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QueryError(f"the query nests more than {_DEEPEST} expressions: write it flatter")

    def unexpected(self, expected: str) -> QueryError:
        """What was found instead."""
        return QueryError(f"found {self.peek()}: {expected} was expected")

    def _filled(self, token: Token) -> Token:
        """A $name as its value."""
        if token.kind != "bound":
            return token
        value = self._bound.get(token.text[1:])
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise QueryError(f"no text or number was sent for {token}: add it to the parameter 'params'")
        return Token("text" if isinstance(value, str) else "number", str(value), token.start, token.end)


def _statement(parser: Parser) -> Statement:
    if parser.take("SELECT"):
        return _select(parser)
    if parser.take("SHOW"):
        return _show(parser)
    if parser.take("CREATE", "DATABASE"):
        name = parser.name("a name")
        while parser.peek().kind and parser.peek().text != ";":
            parser.pop()
        return Create(name)
    raise parser.unexpected("SELECT, SHOW or CREATE DATABASE")


def _select(parser: Parser) -> Select:
    columns = parser.listed(lambda: _column(parser))
    if parser.take("INTO"):
        raise QueryError("SELECT … INTO writes: this server is written to by line protocol only")
    parser.need("FROM")
    database, sources = _sources(parser)
    condition = where(parser)
    group = _group(parser)
    selected = Select(columns, sources, condition, group, _portion(parser), database)
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


def _column(parser: Parser) -> Column:
    expression = _sum(parser)
    return Column(expression, parser.name("a name after AS") if parser.take("AS") else "")


def _sum(parser: Parser) -> Expression:
    parser.deeper()
    left = _product(parser)
    while parser.peek().text in {"+", "-"} and parser.peek().kind == "sign":
        left = Math(parser.pop().text, left, _product(parser))
    return left


def _product(parser: Parser) -> Expression:
    left = _term(parser)
    while parser.peek().text in {"*", "/", "%"} and parser.peek().kind == "sign":
        left = Math(parser.pop().text, left, _term(parser))
    return left


def _term(parser: Parser) -> Expression:
    if parser.take("("):
        inner = _sum(parser)
        parser.need(")")
        return inner
    if parser.take("*"):
        return Field("*")
    if parser.take("-"):
        return Math("*", -1.0, _term(parser))
    if parser.peek().kind == "number":
        return float(parser.pop().text)
    word = parser.peek()
    name = parser.name("a field, an aggregate or a number")
    if word.kind == "word" and parser.take("("):
        return _call(parser, word)
    cast(parser)
    return Field(name)


def _call(parser: Parser, word: Token) -> Call:
    function = word.text.lower()
    if function not in FUNCTIONS:
        raise QueryError(f"{function}() at character {word.start + 1} is not answered here: {', '.join(FUNCTIONS)} are")
    field = "*" if parser.take("*") else parser.name(f"a field of {function}()")
    cast(parser)
    parser.need(")")
    return Call(function, field)


def cast(parser: Parser) -> str:
    """Take a type as in `"host"::tag`; it tells tags and fields apart, and here their names do."""
    return parser.name("tag or field").lower() if parser.take("::") else ""


def _sources(parser: Parser) -> tuple[str, tuple[str | Regex, ...]]:
    """The database, if one is named, and the measurements."""
    found = parser.listed(lambda: _source(parser))
    return found[0][0], tuple(measurement for _, measurement in found)


def _source(parser: Parser) -> tuple[str, str | Regex]:
    if parser.peek().text == "(" and parser.peek().kind == "sign":
        raise QueryError(f"a query in a query ({parser.peek()}) is not answered here: a measurement was expected")
    parts: list[str | Regex] = []
    while True:
        pattern = parser.regex()
        if pattern is None and parser.take("."):
            parts.append("")
            continue
        parts.append(pattern if pattern is not None else parser.name("a measurement"))
        if not parser.take("."):
            break
    database = parts[0] if len(parts) == 3 else ""
    return str(database), parts[-1]


def _group(parser: Parser) -> Group:
    if not parser.take("GROUP", "BY"):
        return Group(**_fill(parser))
    tags: list[str | Regex] = []
    every = offset = 0
    everything = False
    while True:
        if parser.take("*"):
            everything = True
        elif (pattern := parser.regex()) is not None:
            tags.append(pattern)
        elif parser.take("TIME", "("):
            every, offset = _buckets(parser)
        else:
            tags.append(parser.name("time(…), a tag or *"))
            cast(parser)
        if not parser.take(","):
            break
    return Group(None if everything else tuple(tags), every, offset, **_fill(parser))


def _buckets(parser: Parser) -> tuple[int, int]:
    every = _duration(parser)
    offset = 0
    if parser.take(","):
        sign = -1 if parser.take("-") else 1
        offset = sign * _duration(parser)
    parser.need(")")
    if every <= 0:
        raise QueryError("GROUP BY time(…) needs a duration above 0, as in time(1m)")
    return every, offset


def _duration(parser: Parser) -> int:
    if parser.peek().kind != "duration":
        raise parser.unexpected("a duration as in 10s, 5m or 1h")
    return lexer.duration(parser.pop().text)


def _fill(parser: Parser) -> dict[str, Any]:
    if not parser.take("FILL", "("):
        return {}
    sign = -1.0 if parser.take("-") else 1.0
    token = parser.pop()
    parser.need(")")
    if token.kind == "number":
        return {"fill": "number", "number": sign * float(token.text)}
    if token.text.lower() not in {"null", "none", "previous", "linear"}:
        raise QueryError(f"found {token}: fill takes null, none, previous, linear or a number")
    return {"fill": token.text.lower()}


def _portion(parser: Parser) -> Portion:
    descending = False
    if parser.take("ORDER", "BY"):
        parser.need("TIME")
        descending = parser.take("DESC")
        parser.take("ASC")
    numbers = [
        parser.whole(f"a whole number after {word}") if parser.take(word) else 0
        for word in ("LIMIT", "OFFSET", "SLIMIT", "SOFFSET")
    ]
    if parser.peek().text.lower() == "tz":
        raise QueryError("tz() is not answered here: times are UTC, shift buckets by GROUP BY time(1d, -8h)")
    limit, offset, series_limit, series_offset = numbers
    return Portion(limit, offset, series_limit, series_offset, descending)


def _show(parser: Parser) -> Show:
    what = next((words for words in _SHOWN if parser.take(*words.upper().split())), None)
    if what is None:
        raise parser.unexpected(f"one of {', '.join(word.upper() for word in _SHOWN)}")
    database = parser.name("a database") if parser.take("ON") else ""
    sources: tuple[str | Regex, ...] = ()
    if parser.take("FROM"):
        named, sources = _sources(parser)
        database = database or named
    if what == "measurements" and parser.take("WITH", "MEASUREMENT"):
        sources = (_equal(parser),)
    keys = _keys(parser) if what == "tag values" else ()
    condition = where(parser)
    return Show(what, sources, keys, condition, _portion(parser), database)


_SHOWN: Final = (
    "databases", "measurements", "series", "tag keys", "tag values", "field keys", "retention policies"
)  # fmt: skip


def _keys(parser: Parser) -> tuple[str | Regex, ...]:
    parser.need("WITH", "KEY")
    if not parser.take("IN"):
        return (_equal(parser),)
    parser.need("(")
    keys = parser.listed(lambda: parser.name("a tag"))
    parser.need(")")
    return keys


def _equal(parser: Parser) -> str | Regex:
    if parser.take("="):
        return parser.name("a name")
    parser.need("=~")
    pattern = parser.regex()
    if pattern is None:
        raise parser.unexpected("a regex between slashes")
    return pattern
