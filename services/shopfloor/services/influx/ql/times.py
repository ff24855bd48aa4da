"""WHERE: conditions on tags, and the span of time that the conditions on `time` leave."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from shopfloor.services.influx.ql import lexer
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.syntax import Both, Compare, Condition, Where

if TYPE_CHECKING:
    from shopfloor.services.influx.ql.parser import Parser

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?")
_SIGNS: Final = ("=", "!=", "<>", "=~", "!~", "<", "<=", ">", ">=")


def where(parser: Parser) -> Where:
    """Take a WHERE clause, if there is one."""
    if not parser.take("WHERE"):
        return Where()
    span = _Span()
    condition = _any(parser, span, alone=True)
    return Where(condition, span.start, span.end)


class _Span:
    """The span of time that is left."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.end: int | None = None

    def cut(self, operator: str, time: int) -> None:
        """Keep what the comparison leaves."""
        if operator in {">", ">=", "="}:
            start = time + (operator == ">")
            self.start = start if self.start is None else max(self.start, start)
        if operator in {"<", "<=", "="}:
            end = time + (operator != "<")
            self.end = end if self.end is None else min(self.end, end)
        if operator not in {">", ">=", "=", "<", "<="}:
            raise QueryError(f"time {operator} is not answered here: compare time with <, <=, =, >= or >")


def _any(parser: Parser, span: _Span, *, alone: bool) -> Condition:
    """Conditions joined by OR; `alone` when the span of time may be cut here."""
    parser.deeper()
    at = parser.peek()
    before = span.start, span.end
    left = _all(parser, span, alone=alone)
    while parser.take("OR"):
        if (span.start, span.end) != before:
            raise QueryError(f"time is compared inside OR ({at}): join conditions on time by AND")
        left = Both("OR", left, _all(parser, span, alone=False))
    return left


def _all(parser: Parser, span: _Span, *, alone: bool) -> Condition:
    left = _one(parser, span, alone=alone)
    while parser.take("AND"):
        right = _one(parser, span, alone=alone)
        left = right if left is None else left if right is None else Both("AND", left, right)
    return left


def _one(parser: Parser, span: _Span, *, alone: bool) -> Condition:
    if parser.take("("):
        inner = _any(parser, span, alone=alone)
        parser.need(")")
        return inner
    at = parser.peek()
    name = parser.name("a tag or time")
    kind = parser.name("tag or field").lower() if parser.take("::") else "tag"
    sign = parser.pop()
    if sign.text not in _SIGNS:
        raise QueryError(f"found {sign}: a comparison of {name!r:.60} was expected")
    if name.lower() == "time":
        if not alone:
            raise QueryError(f"time is compared inside OR ({at}): join conditions on time by AND")
        span.cut(sign.text, _time(parser))
        return None
    return _tag(parser, name, kind, sign.text)


def _tag(parser: Parser, name: str, kind: str, sign: str) -> Compare:
    if sign in {"=~", "!~"}:
        pattern = parser.regex()
        if pattern is None:
            raise parser.unexpected("a regex between slashes")
        return Compare(name, "=~" if sign == "=~" else "!~", pattern.pattern)
    if parser.peek().kind != "text" or kind != "tag" or sign not in {"=", "!=", "<>"}:
        raise QueryError(
            f"{name!r:.60} {sign} {parser.peek()} is not answered here: compare time, or tags with 'text' and /regex/"
        )
    return Compare(name, "=" if sign == "=" else "!=", parser.pop().text)


def _time(parser: Parser) -> int:
    """A moment: a text, now(), a number of ns or a duration since 1970, and durations added or taken away."""
    time = _moment(parser)
    while parser.peek().text in {"+", "-"} and parser.peek().kind == "sign":
        sign = 1 if parser.pop().text == "+" else -1
        time += sign * _moment(parser)
    return time


def _moment(parser: Parser) -> int:
    if parser.take("NOW"):
        parser.need("(")
        parser.need(")")
        return parser.now
    if parser.take("-"):
        return -_moment(parser)
    token = parser.pop()
    if token.kind == "duration":
        return lexer.duration(token.text)
    if token.kind == "number":
        return int(float(token.text)) if "." in token.text else int(token.text)
    found = _MOMENT.fullmatch(token.text) if token.kind == "text" else None
    if found is None:
        raise QueryError(f"found {token}: a time was expected, as in now() - 1h or '2026-01-31T12:00:00Z'")
    return _parsed(found)


def _parsed(found: re.Match[str]) -> int:
    day, clock, fraction, zone = found.groups()
    text = f"{day}T{clock or '00:00'}{'+00:00' if zone in {None, 'Z'} else zone}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise QueryError(f"'{found[0]}' is no time ({problem}): write it as '2026-01-31T12:00:00Z'") from problem
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**9 + int(
        (fraction or "0").ljust(9, "0")
    )
