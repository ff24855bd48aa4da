r"""One line of line protocol, read with care: every escape and type, and for each mistake its column.

Source: InfluxDB's line protocol reference, and what InfluxDB 1.x does where the reference is silent: a backslash
escapes a comma, a blank and an equals sign in names, a quote and a backslash in texts, and is itself anywhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from shopfloor.plant.asset import LEVELS

Value: TypeAlias = float | int | str
LAST_TIME: Final = 9_214_646_400_000_000_000
"""2262-01-01 in UTC ns: the store keeps times before it."""

_NAME: Final = re.compile(rb"(?:[^, \\\n]|\\++[^\\\n]?)*+")
_KEY: Final = re.compile(rb"(?:[^,= \\\n]|\\++[^\\\n]?)*+")
_TEXT: Final = re.compile(rb'"((?:[^"\\]|\\.)*+)"', re.S)
_TOKEN: Final = re.compile(rb"[^, \n\r]*+")
_NUMBER: Final = re.compile(rb"-?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?")
_WHOLE: Final = re.compile(rb"(-?\d++)([iu])")
_TIME: Final = re.compile(rb"-?\d++")
_BLANKS: Final = re.compile(rb"[ \t\x00]*+")
_END: Final = re.compile(rb"[ \t\x00]*+\r?(?:\n|\Z)")
_ESCAPED: Final = re.compile(rb"\\([,= ])")
_QUOTED: Final = re.compile(rb'\\(["\\])')
_OWN_QUOTED: Final = re.compile(rb'\\(["\\n])')
_OWN_TAGS: Final = tuple(sorted(LEVELS))
BOOLEANS: Final = {
    **dict.fromkeys((b"t", b"T", b"true", b"True", b"TRUE"), 1.0),
    **dict.fromkeys((b"f", b"F", b"false", b"False", b"FALSE"), 0.0),
}


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the fields: the measurement, and its tags sorted by key."""

    measurement: str
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def has_levels(self) -> bool:
        """Whether the tags are the levels of an asset, as in the copies that the historian writes."""
        return tuple(key for key, _ in self.tags) == _OWN_TAGS


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its head, its fields (booleans as 1.0 and 0.0), its time in the unit of the request, where it ends."""

    head: Head
    fields: tuple[tuple[str, Value], ...]
    time: int | None
    end: int


class MistakeError(ValueError):
    """What is wrong at a byte of the body, and what was expected there."""

    def __init__(self, at: int, sentence: str) -> None:
        super().__init__(sentence)
        self.at = at


def read_line(body: bytes, at: int = 0) -> Line | None:
    r"""The line that begins at a byte; None for a blank line or a comment. A mistake raises `MistakeError`.

    >>> read_line(b'room\\ 1,door=a\\,b open=t,text="say \\"x\\"",n=5i 12').fields
    (('open', 1.0), ('text', 'say "x"'), ('n', 5))
    """
    at = _skip(body, at)
    if body[at : at + 1] in {b"#", b""} or _END.match(body, at):
        return None
    end = head_end(body, at)
    head = read_head(body[at:end], at)
    fields, after = _fields(body, _skip(body, end), own=head.has_levels)
    return Line(head, fields, *_time(body, after))


def head_end(body: bytes, at: int) -> int:
    """Where the first blank or line end is that no backslash escapes."""
    while True:
        at = _match(_NAME, body, at).end()
        if body[at : at + 1] != b",":
            return at
        at += 1


def read_head(text: bytes, origin: int = 0) -> Head:
    r"""Measurement and tags; `origin` is the byte of the body at which `text` begins.

    >>> read_head(b"cpu,host=b\\ c,core=1")
    Head(measurement='cpu', tags=(('core', '1'), ('host', 'b c')))
    """
    name = _match(_NAME, text, 0)
    if not name.group():
        raise MistakeError(origin, "a measurement was expected")
    tags: dict[str, str] = {}
    at = name.end()
    while at < len(text):
        key = _match(_KEY, text, at + 1)
        if not key.group() or text[key.end() : key.end() + 1] != b"=":
            raise MistakeError(origin + at + 1, "TAG=VALUE was expected after the comma")
        value = _match(_NAME, text, key.end() + 1)
        if not value.group():
            raise MistakeError(origin + value.start(), f"a value was expected for the tag {plain(key.group())!r:.80}")
        if plain(key.group()) in tags:
            raise MistakeError(
                origin + at + 1, f"the tag {plain(key.group())!r:.80} was expected once, and comes twice"
            )
        tags[plain(key.group())] = plain(value.group())
        at = value.end()
    return Head(plain(name.group()), tuple(sorted(tags.items())))


def plain(name: bytes) -> str:
    """A name without its escapes."""
    return (_ESCAPED.sub(rb"\1", name) if b"\\" in name else name).decode("utf-8")


def _fields(body: bytes, at: int, *, own: bool) -> tuple[tuple[tuple[str, Value], ...], int]:
    fields: list[tuple[str, Value]] = []
    while True:
        key = _match(_KEY, body, at)
        if not key.group() or body[key.end() : key.end() + 1] != b"=":
            raise MistakeError(
                at, "FIELD=VALUE was expected" + ("" if fields else " after the measurement and a blank")
            )
        value, at = _value(body, key.end() + 1, own=own and key.group() == b"text")
        fields.append((plain(key.group()), value))
        if body[at : at + 1] != b",":
            return tuple(fields), at
        at += 1


def _value(body: bytes, at: int, *, own: bool) -> tuple[Value, int]:
    if body[at : at + 1] == b'"':
        text = _TEXT.match(body, at)
        if text is None:
            raise MistakeError(at, "a text is not closed: a second quote was expected")
        return _unquoted(text[1], own=own).decode("utf-8"), text.end()
    token = _match(_TOKEN, body, at)
    word = token.group()
    if word in BOOLEANS:
        return BOOLEANS[word], token.end()
    if _NUMBER.fullmatch(word):
        return _float(word, at), token.end()
    if whole := _WHOLE.fullmatch(word):
        return _integer(whole, at), token.end()
    raise MistakeError(at, "a number, 12i, 12u, true, false or a text in double quotes was expected")


def _unquoted(text: bytes, *, own: bool) -> bytes:
    r"""A text without its escapes. The historian writes a line end as `\n`, which means nothing to InfluxDB."""
    if b"\\" not in text:
        return text
    if not own:
        return _QUOTED.sub(rb"\1", text)
    return _OWN_QUOTED.sub(lambda found: b"\n" if found[1] == b"n" else found[1], text)


def _float(word: bytes, at: int) -> float:
    value = float(word)
    if value in {float("inf"), float("-inf")}:
        raise MistakeError(at, "a number of at most 1.8e308 was expected")
    return value


def _integer(whole: re.Match[bytes], at: int) -> int:
    value = int(whole[1]) if len(whole[1]) < 40 else 1 << 64
    low = 0 if whole[2] == b"u" else -(1 << 63)
    if not low <= value < 1 << 63:
        raise MistakeError(at, f"a whole number from {low} to {(1 << 63) - 1} was expected")
    return value


def _time(body: bytes, at: int) -> tuple[int | None, int]:
    if end := _END.match(body, at):
        return None, end.end()
    if not (blanks := _match(_BLANKS, body, at)).group():
        raise MistakeError(at, "a comma and the next field, or a blank and the time was expected")
    time = _TIME.match(body, blanks.end())
    end = _END.match(body, time.end()) if time else None
    if time is None or end is None:
        raise MistakeError(blanks.end(), "the time was expected, a whole number, and then the end of the line")
    return (int(time.group()) if len(time.group()) < 30 else LAST_TIME), end.end()


def _skip(body: bytes, at: int) -> int:
    return _match(_BLANKS, body, at).end()


def _match(pattern: re.Pattern[bytes], body: bytes, at: int) -> re.Match[bytes]:
    """Match a pattern that also matches nothing."""
    found = pattern.match(body, at)
    assert found is not None  # noqa: S101 (such a pattern always matches)
    return found
