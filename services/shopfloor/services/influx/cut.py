"""Cutting the regular lines of a body at their marks, all at once: no object per line or value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.influx.line import BOOLEANS, Head, MistakeError, plain, read_head
from shopfloor.services.influx.marks import BLANK, EQUALS, Ints, Mask, find

_FLOAT: Final = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$"
_WHOLE: Final = r"^-?\d{1,18}$"
_TRUTHS: Final = pa.array([word.decode() for word in BOOLEANS])
_AS_FLOAT: Final = np.array(list(BOOLEANS.values()))


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Values of one kind: line, index of head, index of field name, value."""

    line: Ints
    head: Ints
    name: Ints
    value: NDArray[Any]

    def take(self, rows: NDArray[Any]) -> Column:
        """The chosen rows."""
        return Column(self.line[rows], self.head[rows], self.name[rows], self.value[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The regular lines of a body in columns, and where every line of the body starts.

    `time` is that of the lines in `timed`, in the unit of the request; `others` are neither regular nor empty.
    """

    start: Ints
    regular: Mask
    others: Ints
    heads: list[Head]
    names: list[str]
    columns: dict[Kind, Column]
    timed: Ints
    time: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Slices:
    """Slices of the body, in its order, and the line of each."""

    line: Ints
    start: Ints
    end: Ints

    def take(self, rows: NDArray[Any]) -> _Slices:
        return _Slices(self.line[rows], self.start[rows], self.end[rows])


def cut(body: bytes) -> Cut:
    """Cut a body of UTF-8 that ends with a line end."""
    return _Cutter(body).cut()


class _Cutter:
    """Which lines of a body are still taken for regular; a doubt leaves a line to `others`."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._marks = find(body)
        self._regular = self._marks.regular

    def cut(self) -> Cut:
        """The columns of the regular lines."""
        start, data = self._marks.start, self._marks.data
        head, heads = self._heads()
        timed, time = self._times()
        columns, names = self._fields(head)
        columns = {kind: column.take(self._regular[column.line]) for kind, column in columns.items()}
        known = self._regular[timed]
        held = (data[start] != ord("\n")) & (data[start] != ord("#"))
        others = np.flatnonzero(~self._regular & held)
        return Cut(start, self._regular, others, heads, names, columns, timed[known], time[known])

    def _heads(self) -> tuple[Ints, list[Head]]:
        """Index of its head for each line, and the heads."""
        marks = self._marks
        first = marks.where(BLANK, 1)
        lines = marks.line[first]
        texts = self._texts(_Slices(lines, marks.start[lines], marks.at[first])).dictionary_encode()
        found = texts.indices.to_numpy()
        index = np.zeros(len(marks.start), np.int64)
        index[lines] = found
        heads = [_head(text.encode()) for text in texts.dictionary.to_pylist()]
        self._doubt(lines, np.array([bool(head.measurement) for head in heads], bool)[found])
        return index, heads

    def _times(self) -> tuple[Ints, Ints]:
        marks = self._marks
        second = marks.where(BLANK, 2)
        slices = self._filled(_Slices(marks.line[second], marks.at[second] + 1, marks.at[second + 1]))
        return slices.line, self._numbers(slices, pa.int64(), _WHOLE)

    def _fields(self, head: Ints) -> tuple[dict[Kind, Column], list[str]]:
        marks = self._marks
        equals = marks.where(EQUALS, 1)
        line, at = marks.line[equals], marks.at
        fine = (at[equals] > at[equals - 1] + 1) & (at[equals + 1] > at[equals] + 1)
        self._doubt(line, fine)
        equals = equals[self._regular[line]]
        line = marks.line[equals]
        names = self._texts(_Slices(line, at[equals - 1] + 1, at[equals])).dictionary_encode()
        values = _Slices(line, at[equals] + 1, at[equals + 1])
        name = names.indices.to_numpy().astype(np.int64)
        columns = {
            kind: Column(line[rows], head[line[rows]], name[rows], value)
            for kind, (rows, value) in self._values(values).items()
        }
        return columns, [plain(text.encode()) for text in names.dictionary.to_pylist()]

    def _values(self, slices: _Slices) -> dict[Kind, tuple[Ints, NDArray[Any]]]:
        """Which slices hold which kind, and their values."""
        first, last = self._marks.data[slices.start], self._marks.data[slices.end - 1]
        is_text = self._are_texts(slices, first, last)
        is_whole = (last == ord("i")) | ((last == ord("u")) & (first != ord("-")))
        is_float = ((last >= ord("0")) & (last <= ord("9"))) | (last == ord("."))
        texts, wholes, floats, words = (
            np.flatnonzero(which)
            for which in (is_text, is_whole & ~is_text, is_float, ~(is_text | is_whole | is_float))
        )
        rows = np.append(floats, words)
        order = np.argsort(rows, kind="stable") if len(words) else slice(None)
        number = self._numbers(slices.take(floats), pa.float64(), _FLOAT)
        value = np.append(number, self._truths(slices.take(words)))
        whole = slices.take(wholes)
        answer = {Kind.FLOAT: (rows[order], value[order])}
        answer[Kind.INT] = wholes, self._numbers(_Slices(whole.line, whole.start, whole.end - 1), pa.int64(), _WHOLE)
        if len(texts):
            text = slices.take(texts)
            inner = self._texts(_Slices(text.line, text.start + 1, text.end - 1))
            answer[Kind.TEXT] = texts, inner.to_numpy(zero_copy_only=False)
        return answer

    def _are_texts(self, slices: _Slices, first: NDArray[Any], last: NDArray[Any]) -> Mask:
        """Which slices are quoted; a line with a quote anywhere else is not regular."""
        quotes = self._marks.quotes
        is_text: Mask = (first == ord('"')) & (last == ord('"')) & (slices.end > slices.start + 1)
        if quotes.any():
            self._regular &= 2 * np.bincount(slices.line[is_text], minlength=len(quotes)) == quotes
        return is_text

    def _truths(self, slices: _Slices) -> NDArray[Any]:
        place = pc.index_in(self._texts(slices), _TRUTHS)
        self._doubt(slices.line, pc.is_valid(place).to_numpy(zero_copy_only=False))
        truths: NDArray[Any] = _AS_FLOAT[pc.fill_null(place, 0).to_numpy(zero_copy_only=False)]
        return truths

    def _numbers(self, slices: _Slices, kind: pa.DataType, pattern: str) -> NDArray[Any]:
        """The numbers that slices are; a line with one that is not as the pattern has it is not regular."""
        texts = self._texts(slices)
        try:
            value = pc.cast(texts, kind)
        except pa.ArrowInvalid:
            fits = pc.match_substring_regex(texts, pattern)
            self._doubt(slices.line, fits.to_numpy(zero_copy_only=False))
            value = pc.cast(pc.if_else(fits, texts, "0"), kind)
        number: NDArray[Any] = value.to_numpy(zero_copy_only=False)
        if kind == pa.float64():
            self._doubt(slices.line, np.isfinite(number))
        return number

    def _filled(self, slices: _Slices) -> _Slices:
        fine = slices.end > slices.start
        self._doubt(slices.line, fine)
        return slices if fine.all() else slices.take(fine)

    def _doubt(self, line: Ints, fine: Mask) -> None:
        if not fine.all():
            self._regular[line[~fine]] = False

    def _texts(self, slices: _Slices) -> pa.StringArray:
        count = len(slices.line)
        if not count:
            return pa.array([], pa.string())
        offsets = np.empty(2 * count, np.int32)
        offsets[0::2], offsets[1::2] = slices.start, slices.end
        both = pa.StringArray.from_buffers(2 * count - 1, pa.py_buffer(offsets), pa.py_buffer(self._body))
        return both.take(pa.array(np.arange(0, 2 * count - 1, 2, dtype=np.int32)))


def _head(text: bytes) -> Head:
    """A head; one that cannot be read has no measurement."""
    try:
        return read_head(text)
    except MistakeError:
        return Head("")
