"""Rows: columns of values whose tags are the store's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch, Kind, RejectedError

DTYPES: Final = {Kind.FLOAT: np.dtype(np.float64), Kind.INT: np.dtype(np.int64), Kind.TEXT: np.dtype(object)}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Columns of one length: tag id, UTC ns, value (float64, int64 or str), OPC UA StatusCode."""

    tag: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[Any]
    quality: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[Any] | slice) -> Rows:
        """The chosen rows: a mask, indices or a slice."""
        return Rows(self.tag[rows], self.time[rows], self.value[rows], self.quality[rows])

    def renumber(self, numbers: NDArray[np.int32]) -> Rows:
        """The same rows with tag t called `numbers[t]`."""
        return Rows(numbers[self.tag], self.time, self.value, self.quality)


def numbered(batch: Batch, ids: NDArray[np.int32]) -> Rows:
    """A batch with the store's own tag numbers: its name n is the tag `ids[n]`."""
    if len(batch) and not 0 <= int(batch.tag.min()) <= int(batch.tag.max()) < len(ids):
        raise RejectedError(f"A tag index lies outside the {len(ids)} names of its batch.")
    return Rows(ids[batch.tag], batch.time, batch.value, batch.quality)


def empty(kind: Kind) -> Rows:
    """No rows of a kind."""
    return Rows(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, DTYPES[kind]), np.empty(0, np.uint32))


def join(parts: Sequence[Rows], kind: Kind) -> Rows:
    """All rows of `parts`, in order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return empty(kind)
    return Rows(
        np.concatenate([part.tag for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
    )


def packed(tag: NDArray[Any], time: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """One integer per row that sorts as (tag, time) does; None when 63 bits are too few.

    >>> packed(np.array([1, 0]), np.array([5, 9])).argsort().tolist()
    [1, 0]
    """
    if not len(time):
        return np.empty(0, np.int64)
    low = int(time.min())
    bits = (int(time.max()) - low).bit_length()
    if bits + int(tag.max()).bit_length() > 63:
        return None
    key: NDArray[np.int64] = (tag.astype(np.int64) << bits) | (time - low)
    return key


def order(tag: NDArray[Any], time: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Stable order by (tag, time), or None when the rows are in order already."""
    key = packed(tag, time)
    if key is None:
        return np.lexsort((time, tag))
    if bool(np.all(key[1:] >= key[:-1])):
        return None
    return np.argsort(key, kind="stable")


def sort(rows: Rows) -> Rows:
    """The rows sorted by (tag, time); equal keys stay in the order they came."""
    index = order(rows.tag, rows.time)
    return rows if index is None else rows.take(index)


def collapse(rows: Rows, precision: int = 1) -> Rows:
    """Sorted rows without repeated (tag, time): the row that came last wins. Times count in units of `precision` ns.

    >>> twice = Rows(np.zeros(2, np.int32), np.ones(2, np.int64), np.array([1.0, 2.0]), np.zeros(2, np.uint32))
    >>> collapse(twice).value.tolist()
    [2.0]
    """
    if len(rows) < 2:
        return rows
    last = np.ones(len(rows), bool)
    unit = rows.time if precision == 1 else rows.time // precision
    last[:-1] = (rows.tag[1:] != rows.tag[:-1]) | (unit[1:] != unit[:-1])
    return rows if last.all() else rows.take(last)


def since(tag: NDArray[np.int32], time: NDArray[np.int64], start: int) -> NDArray[np.bool_]:
    """Which sorted rows tell all from `start` on: those, and the last of each tag before it.

    >>> since(np.array([0, 0, 0, 1], np.int32), np.array([1, 2, 5, 3]), 5).tolist()
    [False, True, True, True]
    """
    keep = time >= start
    keep[:-1] |= (tag[1:] != tag[:-1]) | keep[1:]
    keep[-1:] = True
    return keep


def one_kind(parts: Sequence[Rows]) -> Rows:
    """Rows of several numeric kinds as float64, sorted; of one kind, as they are but for that."""
    parts = [_as_float(part) for part in parts]
    return parts[0] if len(parts) == 1 else sort(join(parts, Kind.FLOAT))


def _as_float(rows: Rows) -> Rows:
    if rows.value.dtype != np.int64:
        return rows
    return Rows(rows.tag, rows.time, rows.value.astype(np.float64), rows.quality)
