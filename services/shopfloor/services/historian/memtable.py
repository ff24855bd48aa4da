"""The memtable: rows that are safe in the log and not yet in a segment."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.rows import Rows, empty, join, sort

RUN_ROWS: Final = 65_536


class Run:
    """Rows of one kind that no longer change; sorted when first read."""

    def __init__(self, parts: tuple[Rows, ...], kind: Kind) -> None:
        self.parts = parts
        self.kind = kind
        self.count = sum(map(len, parts))
        self.start = min(int(part.time.min()) for part in parts)
        self.end = max(int(part.time.max()) for part in parts)

    def rows(self) -> Rows:
        """All rows, sorted by (tag, time), equal keys as they came."""
        if len(self.parts) > 1 or not _is_sorted(self.parts[0]):
            self.parts = (sort(join(self.parts, self.kind)),)
        return self.parts[0]

    def find(self, wanted: NDArray[np.int32], start: int, end: int) -> Rows:
        """Rows of the wanted tags (sorted ids) in [start, end)."""
        if self.end < start or self.start >= end:
            return empty(self.kind)
        rows = self.rows()
        first = np.searchsorted(rows.tag, wanted, "left")
        last = np.searchsorted(rows.tag, wanted, "right")
        index = _ranges(first, last)
        times = rows.time[index]
        return rows.take(index[(times >= start) & (times < end)])


class Memtable:
    """Rows by kind, in the order they were committed. The owner's lock guards `append` and `freeze`."""

    def __init__(self) -> None:
        self.rows = 0
        self.log_spans: list[tuple[int, int]] = []
        self.born = time.monotonic()
        self.start = np.iinfo(np.int64).max
        self.end = np.iinfo(np.int64).min
        self._runs: dict[Kind, list[Run]] = {kind: [] for kind in Kind}
        self._tails: dict[Kind, list[Rows]] = {kind: [] for kind in Kind}
        self._tail_rows = dict.fromkeys(Kind, 0)
        self._frozen: dict[Kind, Run] = {}

    def append(self, rows: Rows, kind: Kind, log_id: int) -> None:
        """Add the rows of one log row."""
        self._note(log_id)
        if not len(rows):
            return
        self.rows += len(rows)
        self.start = min(self.start, int(rows.time.min()))
        self.end = max(self.end, int(rows.time.max()))
        self._frozen.pop(kind, None)
        self._tails[kind].append(rows)
        self._tail_rows[kind] += len(rows)
        if self._tail_rows[kind] >= RUN_ROWS:
            self._runs[kind].append(Run(tuple(self._tails[kind]), kind))
            self._tails[kind] = []
            self._tail_rows[kind] = 0

    def _note(self, log_id: int) -> None:
        """Remember which log rows it holds, as spans of ids, both ends included."""
        first = log_id
        if self.log_spans and self.log_spans[-1][1] == log_id - 1:
            first = self.log_spans.pop()[0]
        self.log_spans.append((first, log_id))

    def freeze(self, kind: Kind) -> tuple[Run, ...]:
        """What it holds of a kind now, oldest first; later appends do not change the answer."""
        runs = self._runs[kind]
        tail = self._tails[kind]
        if not tail:
            return tuple(runs)
        if kind not in self._frozen:
            self._frozen[kind] = Run(tuple(tail), kind)
        return (*runs, self._frozen[kind])


def _is_sorted(rows: Rows) -> bool:
    same = rows.tag[1:] == rows.tag[:-1]
    return bool(np.all((rows.tag[1:] > rows.tag[:-1]) | (same & (rows.time[1:] >= rows.time[:-1]))))


def _ranges(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """All indices of the ranges [first, last), one after the other."""
    lengths = last - first
    total = int(lengths.sum())
    offsets = np.repeat(first - (np.cumsum(lengths) - lengths), lengths)
    return np.asarray(np.arange(total) + offsets, np.int64)
