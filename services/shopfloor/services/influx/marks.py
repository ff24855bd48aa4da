"""The marks of a body of line protocol: commas, blanks, equals signs and line ends that separate something.

Those that a backslash escapes and those inside quoted texts separate nothing and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

LINE, RETURN, BLANK, COMMA, EQUALS, _ODD, _SECOND, QUOTE, BACKSLASH = range(1, 10)


def _table() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[:32] = _ODD
    table[0x7F] = _ODD
    marks = (("\n", LINE), ("\r", RETURN), (" ", BLANK), (",", COMMA), ("=", EQUALS), ('"', QUOTE), ("\\", BACKSLASH))
    for character, mark in marks:
        table[ord(character)] = mark
    return table


def _follows() -> Mask:
    """Which mark may follow which from the first blank of a line on."""
    allowed = np.zeros((10, 10), bool)
    for mark, following in (
        (BLANK, (EQUALS,)),
        (COMMA, (EQUALS,)),
        (EQUALS, (COMMA, _SECOND, RETURN, LINE)),
        (_SECOND, (RETURN, LINE)),
        (RETURN, (LINE,)),
    ):
        allowed[mark, list(following)] = True
    return allowed


_MARK: Final = _table()
_MAY_FOLLOW: Final = _follows()


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Marks in columns: byte, what it is, its line, and the blanks of the line up to it.

    `start` is the first byte of each line; `quotes` counts the quotes of each line; `regular` lines are
    `head field=value[,field=value…][ time]` with single blanks, as far as marks tell.
    """

    data: NDArray[np.uint8]
    at: Ints
    mark: NDArray[np.uint8]
    line: Ints
    section: Ints
    start: Ints
    quotes: Ints
    regular: Mask

    def where(self, mark: int, section: int) -> Ints:
        """Indices of the marks of one sort in one section of regular lines."""
        return np.flatnonzero((self.mark == mark) & (self.section == section) & self.regular[self.line])


def find(body: bytes) -> Marks:
    """The marks of a body that ends with a line end."""
    data = np.frombuffer(body, np.uint8)
    mark = _MARK[data]
    at = np.flatnonzero(mark != 0)
    mark = mark[at]
    ends = at[mark == LINE]
    start = np.append(0, ends[:-1] + 1)
    quotes, broken = np.zeros(len(start), np.int64), np.zeros(len(start), bool)
    if b'"' in body or b"\\" in body:
        at, mark, quotes, broken = _separating(data, at, mark)
    line, _ = _lines(mark)
    section = _since_line(mark == BLANK, mark, line)
    regular = _judge(data[start], mark, line, section) & ~broken
    return Marks(data, at, mark, line, section, start, quotes, regular)


def _lines(mark: NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """The line of every mark, and which marks are line ends."""
    ends = np.flatnonzero(mark == LINE)
    return np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1)), ends


def _since_line(which: Mask, mark: NDArray[np.uint8], line: Ints) -> Ints:
    """How many of the marks `which` there are in the line up to and with each mark."""
    count = np.cumsum(which)
    before = np.append(0, count[mark == LINE][:-1])
    return np.asarray(count - before[line])


def _separating(
    data: NDArray[np.uint8], at: Ints, mark: NDArray[np.uint8]
) -> tuple[Ints, NDArray[np.uint8], Ints, Mask]:
    """Marks that separate, the quotes of each line, and lines with texts that are escaped or not closed.

    Quotes before the first blank are part of a name.
    """
    escaped = (data[at - 1] == ord("\\")) & (at > 0) & (mark >= BLANK) & (mark <= EQUALS)
    at, mark = at[~escaped], mark[~escaped]
    line, ends = _lines(mark)
    quotes = _since_line((mark == QUOTE) & (_since_line(mark == BLANK, mark, line) > 0), mark, line)
    inside = quotes % 2 == 1
    broken = inside[ends]
    broken[line[inside & (mark == BACKSLASH)]] = True
    separates = ((mark == LINE) | ~inside) & (mark != QUOTE) & (mark != BACKSLASH)
    return at[separates], mark[separates], quotes[ends], broken


def _judge(first: NDArray[Any], mark: NDArray[np.uint8], line: Ints, section: Ints) -> Mask:
    """Which lines are regular; `first` is the first byte of each."""
    mark = mark + np.where((mark == BLANK) & (section == 2), _SECOND - BLANK, 0).astype(np.uint8)
    allowed = np.append(_MAY_FOLLOW[mark[:-1], mark[1:]], np.ones(1, bool))
    wrong = (mark == _ODD) | ((section >= 1) & (mark != LINE) & ~allowed)
    blanks = section[mark == LINE]
    bad = np.bincount(line[wrong], minlength=len(first)) > 0
    begins = ~np.isin(_MARK[first], (LINE, RETURN, BLANK, COMMA, _ODD, QUOTE)) & (first != ord("#"))
    regular: Mask = ~bad & (blanks >= 1) & (blanks <= 2) & begins
    return regular
