"""WHERE: conditions on tags and fields, and the span of time that the conditions on `time` leave."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, Literal

from shopfloor.services.influx.ql import lexer
from shopfloor.services.influx.ql.cursor import Cursor
from shopfloor.services.influx.ql.lexer import QueryError
from shopfloor.services.influx.ql.syntax import Both, Compare, Condition, Where

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?)?")
_OPERATORS: Final[dict[str, Literal["=", "!=", "<", "<=", ">", ">="]]] = {
    "=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_SIGNS: Final = (*_OPERATORS, "=~", "!~")


def where(cursor: Cursor) -> Where:
    """Take a WHERE clause, if there is one."""
    if not cursor.take("WHERE"):
        return Where()
    span = _Span()
    condition = _any(cursor, span, alone=True)
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


def _any(cursor: Cursor, span: _Span, *, alone: bool) -> Condition:
    """Conditions joined by OR; `alone` when the span of time may be cut here."""
    cursor.deeper()
    at = cursor.peek()
    before = span.start, span.end
    left = _all(cursor, span, alone=alone)
    while cursor.take("OR"):
        if (span.start, span.end) != before:
            raise QueryError(f"time is compared inside OR ({at}): join conditions on time by AND")
        left = Both("OR", left, _all(cursor, span, alone=False))
    return left


def _all(cursor: Cursor, span: _Span, *, alone: bool) -> Condition:
    left = _one(cursor, span, alone=alone)
    while cursor.take("AND"):
        right = _one(cursor, span, alone=alone)
        left = right if left is None else left if right is None else Both("AND", left, right)
    return left


def _one(cursor: Cursor, span: _Span, *, alone: bool) -> Condition:
    if cursor.take("("):
        inner = _any(cursor, span, alone=alone)
        cursor.need(")")
        return inner
    at = cursor.peek()
    name = cursor.name("a tag or time")
    if cursor.take("::"):
        cursor.name("tag or field")
    sign = cursor.pop()
    if sign.text not in _SIGNS:
        raise QueryError(f"found {sign}: a comparison of {name!r:.60} was expected")
    if name.lower() == "time":
        if not alone:
            raise QueryError(f"time is compared inside OR ({at}): join conditions on time by AND")
        span.cut(sign.text, _time(cursor))
        return None
    return _compare(cursor, name, sign.text)


def _compare(cursor: Cursor, name: str, sign: str) -> Compare:
    if sign in {"=~", "!~"}:
        pattern = cursor.regex()
        if pattern is None:
            raise cursor.unexpected("a regex between slashes")
        return Compare(name, "=~" if sign == "=~" else "!~", pattern.pattern)
    return Compare(name, _OPERATORS[sign], _literal(cursor, name))


def _literal(cursor: Cursor, name: str) -> str | float:
    """A text, a number or a boolean."""
    for word, truth in (("TRUE", 1.0), ("FALSE", 0.0)):
        if cursor.take(word):
            return truth
    sign = -1.0 if cursor.take("-") else 1.0
    token = cursor.peek()
    if token.kind not in {"text", "number"} or (token.kind == "text" and sign < 0):
        raise QueryError(
            f"{name!r:.60} is compared with {token}: a 'text', a number, true, false or a /regex/ was expected"
        )
    cursor.pop()
    if cursor.peek().kind == "sign" and cursor.peek().text in {"+", "-", "*", "/", "%"}:
        raise QueryError(f"arithmetic in WHERE ({cursor.peek()}) is not answered here: compare with one value")
    return token.text if token.kind == "text" else sign * float(token.text)


def _time(cursor: Cursor) -> int:
    """A moment: a text, now(), a number of ns or a duration since 1970, and durations added or taken away."""
    time = _moment(cursor)
    while cursor.peek().text in {"+", "-"} and cursor.peek().kind == "sign":
        sign = 1 if cursor.pop().text == "+" else -1
        time += sign * _moment(cursor)
    return time


def _moment(cursor: Cursor) -> int:
    if cursor.take("NOW"):
        cursor.need("(")
        cursor.need(")")
        return cursor.now
    if cursor.take("-"):
        return -_moment(cursor)
    token = cursor.pop()
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
