"""The newest value of every tag, in memory."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.rows import Rows

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """Columns by tag id: time (the smallest int64 where there is none), number, text (None for numbers), quality."""

    time: NDArray[np.int64]
    number: NDArray[np.float64]
    text: NDArray[np.object_]
    quality: NDArray[np.uint32]

    def take(self, rows: NDArray[np.int64]) -> Newest:
        """The chosen ones."""
        return Newest(self.time[rows], self.number[rows], self.text[rows], self.quality[rows])


class Latest:
    """Columns indexed by tag id. An older value never overwrites a newer one; at equal times the last one wins."""

    def __init__(self) -> None:
        self.settled: Callable[[], None] = lambda: None
        """Waits until everything that was committed is here."""
        self._lock = threading.Lock()
        self._time = np.empty(0, np.int64)
        self._number = np.empty(0, np.float64)
        self._text = np.empty(0, object)
        self._quality = np.empty(0, np.uint32)

    def update(self, rows: Rows, kind: Kind) -> None:
        """Take the newest of the rows."""
        if not len(rows):
            return
        with self._lock:
            self._grow(int(rows.tag.max()) + 1)
            fresh = np.flatnonzero(rows.time >= self._time[rows.tag])
            fresh = fresh[np.argsort(rows.time[fresh], kind="stable")]
            ids = rows.tag[fresh]
            self._time[ids] = rows.time[fresh]
            self._quality[ids] = rows.quality[fresh]
            self._number[ids] = np.nan if kind is Kind.TEXT else rows.value[fresh]
            self._text[ids] = rows.value[fresh] if kind is Kind.TEXT else None

    def of(self, ids: NDArray[np.int64]) -> Newest:
        """The newest values of some tags."""
        self.settled()
        with self._lock:
            self._grow(int(ids.max(initial=-1)) + 1)
            return Newest(self._time[ids], self._number[ids], self._text[ids], self._quality[ids])

    def to_bytes(self) -> bytes:
        """The table as a checksum and an Arrow IPC stream, to be kept beside the segments."""
        with self._lock:
            columns = [pa.array(column.copy()) for column in (self._time, self._number)]
            columns += [pa.array(self._text, pa.string()), pa.array(self._quality.copy())]
        table = pa.table(columns, ["time", "number", "text", "quality"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        body = bytes(memoryview(sink.getvalue()))
        return zlib.crc32(body).to_bytes(4, "little") + body

    def load(self, data: bytes) -> bool:
        """Start from what `to_bytes` wrote; False when it is damaged."""
        check, data = int.from_bytes(data[:4], "little"), data[4:]
        if zlib.crc32(data) != check:
            return False
        with pa.ipc.open_stream(data) as stream:
            table = stream.read_all()
        with self._lock:
            self._time = table.column("time").to_numpy().copy()
            self._number = table.column("number").to_numpy().copy()
            self._text = np.array(table.column("text").to_pylist(), object)
            self._quality = table.column("quality").to_numpy().copy()
        return True

    def _grow(self, size: int) -> None:
        more = size - len(self._time)
        if more <= 0:
            return
        more = max(more, len(self._time) // 2)
        self._time = np.concatenate([self._time, np.full(more, _NEVER)])
        self._number = np.concatenate([self._number, np.full(more, np.nan)])
        self._text = np.concatenate([self._text, np.full(more, None, object)])
        self._quality = np.concatenate([self._quality, np.zeros(more, np.uint32)])


def to_table(paths: pa.Array, newest: Newest) -> pa.Table:
    """Answer of `Reader.latest`: the tags that have a value, in the order asked."""
    has = np.flatnonzero(newest.time != _NEVER)
    names, newest = (paths, newest) if len(has) == len(paths) else (paths.take(pa.array(has)), newest.take(has))
    text = pa.array(newest.text, pa.string(), from_pandas=False)
    return pa.table(
        {
            "tag": pa.DictionaryArray.from_arrays(pa.array(np.arange(len(names), dtype=np.int32)), names),
            "time": pa.array(newest.time).view(pa.timestamp("ns", "UTC")),
            "value": pc.if_else(pc.is_valid(text), pa.scalar(None, pa.float64()), pa.array(newest.number)),
            "text": text,
            "quality": pa.array(newest.quality),
        }
    )
