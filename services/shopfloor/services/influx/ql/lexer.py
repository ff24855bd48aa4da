"""Cutting a query into words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DURATIONS: Final = {
    "ns": 1,
    "u": 1_000,
    "µ": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3_600 * 10**9,
    "d": 86_400 * 10**9,
    "w": 7 * 86_400 * 10**9,
}
_SPAN: Final = r"\d+(?:ns|ms|u|µ|s|m|h|d|w)"
_TOKEN: Final = re.compile(
    rf"""(?P<duration>(?:{_SPAN})+)(?![\w])
    | (?P<number>\d+\.\d*|\.\d+|\d+)
    | (?P<name>"(?:[^"\\\n]|\\.)*+")
    | (?P<text>'(?:[^'\\\n]|\\.)*+')
    | (?P<bound>\$\w+)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign>=~|!~|!=|<>|<=|>=|::|[=<>(),;*+\-/%.])""",
    re.X,
)
_BLANK: Final = re.compile(r"(?:\s++|--[^\n]*+)*+")
_REGEX: Final = re.compile(r"/((?:[^/\\\n]|\\.)*+)/")
_PART: Final = re.compile(r"(\d+)(ns|ms|u|µ|s|m|h|d|w)")
_ESCAPE: Final = re.compile(r"\\(.)")


class QueryError(ValueError):
    """A query that is not understood or not answered: what, at which character, what was expected."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a query: its kind, its text without quotes and escapes, where it begins and ends."""

    kind: str
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.text!r:.60} at character {self.start + 1}" if self.kind else "the end of the query"


def token(query: str, at: int) -> Token:
    """The token at or after a character; its kind is "" at the end."""
    at = _skip(query, at)
    if at == len(query):
        return Token("", "", at, at)
    found = _TOKEN.match(query, at)
    if found is None:
        raise QueryError(f"{query[at : at + 10]!r} at character {at + 1} is no word of a query")
    kind = str(found.lastgroup)
    text = found.group()
    if kind in {"name", "text"}:
        text = _ESCAPE.sub(_unescaped, text[1:-1])
    return Token(kind, text, found.start(), found.end())


def regex(query: str, at: int) -> Token | None:
    """The regex at or after a character, or None."""
    found = _REGEX.match(query, _skip(query, at))
    return Token("regex", found[1].replace("\\/", "/"), found.start(), found.end()) if found else None


def duration(text: str) -> int:
    """Nanoseconds of a duration.

    >>> duration("1h30m")
    5400000000000
    """
    return sum(int(number) * DURATIONS[unit] for number, unit in _PART.findall(text))


def _skip(query: str, at: int) -> int:
    found = _BLANK.match(query, at)
    return found.end() if found else at


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n"}.get(found[1], found[1])
