"""A body of line protocol as columns.

Lines without escapes and quotes are cut at their commas, blanks and equals signs all at once; whatever is not as
regular as that, a mistake included, is read by `read_line`, one line at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.rows import DTYPES
from shopfloor.services.influx.cut import Column, cut
from shopfloor.services.influx.line import LAST_TIME, Head, MistakeError, Value, read_line

UNITS: Final = {
    **dict.fromkeys(("", "n", "ns"), 1),
    **dict.fromkeys(("u", "µ", "us", "µs"), 1_000),
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""Nanoseconds of every precision that a client may name."""
_UNTIMED: Final = np.iinfo(np.int64).min
_SHOWN: Final = 80
MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that was refused: its number and column from 1, what was expected, and how the line begins."""

    line: int
    column: int
    sentence: str
    text: str = ""

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.sentence}, in {self.text!r}"


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """A parsed body: heads and field names, columns by kind in the order of the lines, the time (UTC ns) of every line.

    `count` lines held something; `refused` of them were, and `mistakes` describes the first of those.
    """

    heads: list[Head]
    names: list[str]
    columns: dict[Kind, Column]
    time: NDArray[np.int64]
    mistakes: list[Mistake]
    count: int
    refused: int


def parse(body: bytes, unit: int, now: int) -> Lines:
    """Read a body. `unit` is the precision in ns; a line without a time gets `now` (UTC ns).

    >>> lines = parse(b"cpu,host=a load=1.5,n=2i 7", 1_000_000_000, 0)
    >>> lines.columns[Kind.FLOAT].value.tolist(), lines.time.tolist(), lines.names
    ([1.5], [7000000000], ['load', 'n'])
    """
    reading = _Reading(body if body.endswith(b"\n") else body + b"\n")
    reading.take_others()
    return reading.close(unit, now // unit * unit)


class _Reading:
    """The lines of a body while they are read."""

    def __init__(self, body: bytes) -> None:
        self._mistakes: list[Mistake] = []
        self._refused = self._others = 0
        self._body = body
        unreadable = self._make_utf8()
        self._parts = cut(self._body)
        for index, at in unreadable:
            self._refuse(index, at, "UTF-8 was expected")
        self._heads = {head: number for number, head in reversed(list(enumerate(self._parts.heads)))}
        self._head_list = list(self._parts.heads)
        self._names = {name: number for number, name in enumerate(self._parts.names)}
        self._covered = np.zeros(len(self._parts.start), bool)
        self._time = np.full(len(self._parts.start), _UNTIMED)
        self._time[self._parts.timed] = self._parts.time
        self._columns = {kind: [column] for kind, column in self._parts.columns.items()}

    def take_others(self) -> None:
        """Every line that is not regular, one by one; a text may hold line ends."""
        fields: dict[Kind, list[tuple[int, int, int, Value]]] = {kind: [] for kind in Kind}
        for index in self._parts.others.tolist():
            if not self._covered[index]:
                self._take(index, fields)
        for kind, rows in fields.items():
            line, head, name, value = zip(*rows, strict=True) if rows else ((), (), (), ())
            ints = (np.array(column, np.int64) for column in (line, head, name))
            self._columns.setdefault(kind, []).append(Column(next(ints), next(ints), next(ints), _values(value, kind)))

    def close(self, unit: int, now: int) -> Lines:
        """Times as UTC ns; lines whose time the store cannot keep are refused."""
        untimed = self._time == _UNTIMED
        wrong = ((self._time < 0) | (self._time >= LAST_TIME // unit)) & ~untimed & ~self._covered
        for index in np.flatnonzero(wrong).tolist():
            self._refuse(index, self._line(index).rfind(b" ") + 1, "a time from 1970 to 2261 was expected")
        time = np.where(untimed, now, np.where(wrong, 0, self._time) * unit)
        keep = ~(wrong | self._covered)
        columns = {kind: _join(parts, keep) for kind, parts in self._columns.items()}
        mistakes = sorted(self._mistakes, key=lambda mistake: mistake.line)[:MOST_SHOWN]
        count = int(np.count_nonzero(self._parts.regular & ~self._covered)) + self._others
        return Lines(self._head_list, list(self._names), columns, time, mistakes, count, self._refused)

    def _take(self, index: int, fields: dict[Kind, list[tuple[int, int, int, Value]]]) -> None:
        start = int(self._parts.start[index])
        try:
            line = read_line(self._body, start)
        except MistakeError as mistake:
            self._others += 1
            self._refuse(index, mistake.at - start, str(mistake))
            return
        if line is None:
            return
        self._others += 1
        self._covered[index + 1 : int(np.searchsorted(self._parts.start, line.end))] = True
        self._time[index] = _UNTIMED if line.time is None else max(min(line.time, LAST_TIME), -1)
        head = self._head(line.head)
        for name, value in line.fields:
            kind = Kind.TEXT if isinstance(value, str) else Kind.INT if isinstance(value, int) else Kind.FLOAT
            fields[kind].append((index, head, self._names.setdefault(name, len(self._names)), value))

    def _head(self, head: Head) -> int:
        number = self._heads.get(head)
        if number is None:
            number = self._heads[head] = len(self._head_list)
            self._head_list.append(head)
        return number

    def _make_utf8(self) -> list[tuple[int, int]]:
        """Blank the lines that are no UTF-8; answers (index, byte in the line) of each."""
        try:
            self._body.decode("utf-8")
        except UnicodeDecodeError:
            lines = self._body[:-1].split(b"\n")
        else:
            return []
        found = [(index, at) for index, line in enumerate(lines) if (at := _first_unreadable(line)) is not None]
        for index, _ in found:
            lines[index] = b""
        self._body = b"\n".join(lines) + b"\n"
        self._others = len(found)
        return found

    def _line(self, index: int) -> bytes:
        start = int(self._parts.start[index])
        return self._body[start : self._body.index(b"\n", start)]

    def _refuse(self, index: int, at: int, sentence: str) -> None:
        self._refused += 1
        if len(self._mistakes) < 4 * MOST_SHOWN:
            line = self._line(index)
            column = len(line[:at].decode("utf-8", "replace")) + 1
            self._mistakes.append(Mistake(index + 1, column, sentence, line[:_SHOWN].decode("utf-8", "replace")))


def _first_unreadable(line: bytes) -> int | None:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as problem:
        return problem.start
    return None


def _values(values: Iterable[Value], kind: Kind) -> NDArray[Any]:
    column = list(values)
    array = np.empty(len(column), DTYPES[kind])
    array[:] = column
    return array


def _join(parts: list[Column], keep: NDArray[np.bool_]) -> Column:
    """The columns as one, in the order of their lines: of two values at one time the later line wins."""
    whole = parts[0]
    if len(parts) > 1:
        columns = zip(*((part.line, part.head, part.name, part.value) for part in parts if len(part.line)), strict=True)
        whole = Column(*(np.concatenate(column) for column in columns)) if any(len(p.line) for p in parts) else whole
        whole = whole.take(np.argsort(whole.line, kind="stable"))
    return whole if keep.all() else whole.take(keep[whole.line])
