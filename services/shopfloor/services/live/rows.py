"""Rows on their way to open pages, and the newest value of every tag seen since the start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Batch, Kind
from shopfloor.services.clock import to_ms

TextRow = tuple[int, float, str, int]


@dataclass(frozen=True, slots=True)
class Rows:
    """Numbers in columns (tag index, epoch ms, value, quality) in order of time; texts as rows of the same."""

    index: NDArray[np.int32]
    time: NDArray[np.float64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint32]
    text: list[TextRow]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.index) + len(self.text)

    def only_text(self, text: list[TextRow]) -> Rows:
        """Rows of texts alone."""
        return Rows(self.index[:0], self.time[:0], self.value[:0], self.quality[:0], text)


class Table:
    """A number for each tag path, and its newest value. Used by one thread."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._time = np.zeros(0, np.int64)
        self._value = np.zeros(0, np.float64)
        self._quality = np.zeros(0, np.uint32)
        self._text: dict[int, str] = {}

    def indices(self, names: Iterable[str]) -> NDArray[np.int32]:
        """Number of each path; a new path gets the next one."""
        numbers = np.array([self._index.setdefault(name, len(self._index)) for name in names], np.int32)
        missing = len(self._index) - len(self._time)
        if missing > 0:
            missing = max(missing, len(self._time), 64)
            self._time = np.concatenate([self._time, np.zeros(missing, np.int64)])
            self._value = np.concatenate([self._value, np.full(missing, np.nan)])
            self._quality = np.concatenate([self._quality, np.zeros(missing, np.uint32)])
        return numbers

    def take(self, batches: Sequence[Batch]) -> Rows | None:
        """Remember the newest values; returns the rows that are newer than what was known, in order of time."""
        numbers: list[tuple[NDArray[Any], ...]] = []
        texts: list[TextRow] = []
        for batch in batches:
            index = self.indices(batch.names)[batch.tag]
            rows = np.flatnonzero(batch.time > self._time[index])
            rows = rows[np.argsort(batch.time[rows], kind="stable")]
            index, time, value, quality = index[rows], batch.time[rows], batch.value[rows], batch.quality[rows]
            self._time[index], self._quality[index] = time, quality
            if batch.kind is Kind.TEXT:
                self._text.update(zip(index.tolist(), value.tolist(), strict=True))
                texts += zip(index.tolist(), (to_ms(t) for t in time.tolist()), value, quality.tolist(), strict=True)
            else:
                self._value[index] = value
                numbers.append((index, time / 1e6, value.astype(np.float64), quality))
        return _rows(numbers, texts)

    def latest(self, names: Sequence[str], stored: pa.Table | None) -> Rows:
        """The newest value of each path, by its number; what is stored fills what is unknown."""
        if stored is not None:
            self._fill(stored)
        index = self.indices(names)
        index = index[self._time[index] > 0]
        text = np.array([i in self._text for i in index.tolist()], bool)
        of = index[~text]
        of = of[np.argsort(self._time[of], kind="stable")]
        texts = [(i, to_ms(int(self._time[i])), self._text[i], int(self._quality[i])) for i in index[text].tolist()]
        return Rows(of, self._time[of] / 1e6, self._value[of], self._quality[of], texts)

    def _fill(self, stored: pa.Table) -> None:
        columns = (stored.column(name) for name in ("tag", "time", "value", "text", "quality"))
        tag, time, value, text, quality = (column.to_pylist() for column in _plain(columns))
        index = self.indices(tag)
        for i, t, v, x, q in zip(index.tolist(), time, value, text, quality, strict=True):
            if t > self._time[i]:
                self._time[i], self._quality[i] = t, q
                self._value[i] = np.nan if v is None else v
                if x is not None:
                    self._text[i] = x


def _plain(columns: Iterable[pa.ChunkedArray]) -> Iterable[pa.ChunkedArray]:
    """Timestamps as integers: Python's own have no nanoseconds."""
    for column in columns:
        yield column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def _rows(numbers: list[tuple[NDArray[Any], ...]], texts: list[TextRow]) -> Rows | None:
    if not texts and not any(len(part[0]) for part in numbers):
        return None
    empty = (np.zeros(0, np.int32), np.zeros(0), np.zeros(0), np.zeros(0, np.uint32))
    index, time, value, quality = (np.concatenate(column) for column in zip(empty, *numbers, strict=True))
    order = np.argsort(time, kind="stable")
    return Rows(index[order], time[order], value[order], quality[order], sorted(texts, key=lambda row: row[1]))
