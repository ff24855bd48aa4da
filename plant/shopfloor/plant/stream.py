"""What many Arrow IPC streams with the same names have in common is made, and read, once: schema and names.

Source: Arrow columnar format, "IPC streaming format" (schema, dictionaries, record batches, end of stream).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""End of an IPC stream."""
_WORTH_IT: Final = 64
_KEPT: Final = 64
_FRONTS: Final = 2_048
_ALIGNED: Final = 8
_Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Head:
    """The names as Arrow, and the bytes with which every stream of them begins (the names compressed by zstd)."""

    dictionary: pa.Array
    data: bytes


@dataclass(slots=True)
class Heads:
    """The heads of the name tables that were used last; a table is kept from its second use on."""

    _heads: OrderedDict[_Key, Head | None] = field(default_factory=OrderedDict)
    _same: dict[tuple[int, int], tuple[pa.Schema, tuple[str, ...], Head]] = field(default_factory=dict)

    def of(self, schema: pa.Schema, names: tuple[str, ...]) -> Head | None:
        """The head of a stream, or None when the names are few or new: write those in one piece.

        `schema` must have a dictionary of text as its first column. The very objects of before are known without a
        look at the names: to hash a thousand of them takes as long as to write the columns.
        """
        if len(names) < _WORTH_IT:
            return None
        same = self._same.get((id(schema), id(names)))
        return same[2] if same else self._find(schema, names)

    def _find(self, schema: pa.Schema, names: tuple[str, ...]) -> Head | None:
        key = (str(schema.field("value").type), names)
        seen = key in self._heads
        head = self._heads.pop(key, None) or (_head(schema, names) if seen else None)
        self._heads[key] = head
        if len(self._heads) > _KEPT:
            self._heads.popitem(last=False)
        if head is not None:
            if len(self._same) >= _KEPT:
                self._same.clear()
            self._same[id(schema), id(names)] = (schema, names, head)
        return head


@dataclass(slots=True)
class Names:
    """The name tables that were read last: the same names give the same tuple, so that comparing it costs nothing."""

    _known: dict[tuple[int, str], tuple[pa.Array, tuple[str, ...]]] = field(default_factory=dict)

    def of(self, dictionary: pa.Array) -> tuple[str, ...]:
        """The names of a dictionary of text.

        >>> table = pa.array([f"tag {n}" for n in range(100)])
        >>> names = Names()
        >>> names.of(table) is names.of(table.slice(0))
        True
        """
        if len(dictionary) < _WORTH_IT:
            return tuple(dictionary.to_pylist())
        key = (len(dictionary), dictionary[0].as_py())
        held = self._known.get(key)
        if held is not None and held[0].equals(dictionary):
            return held[1]
        names = tuple(dictionary.to_pylist())
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[key] = pa.array(names, pa.string()), names
        return names


def _head(schema: pa.Schema, names: tuple[str, ...]) -> Head:
    dictionary = pa.array(names, pa.string())
    columns = [pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), dictionary)]
    columns += [pa.array([], column.type) for column in list(schema)[1:]]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    reader = pa.ipc.MessageReader.open_stream(sink.getvalue())
    return Head(dictionary, b"".join(reader.read_next_message().serialize().to_pybytes() for _ in range(2)))


@dataclass(frozen=True, slots=True)
class Record:
    """The messages of records of one schema with columns of numbers, of which the first holds places in a dictionary.

    What stands before the columns depends on their length alone: Arrow writes it once for each length.
    """

    schema: pa.Schema
    dtypes: tuple[np.dtype[Any], ...]
    _fronts: dict[int, bytes] = field(default_factory=dict)

    def parts(self, columns: Sequence[NDArray[Any]]) -> list[Any] | None:
        """The message as parts to be joined, the columns as they are; None when they are not of the `dtypes`."""
        if any(column.dtype != dtype for column, dtype in zip(columns, self.dtypes, strict=True)):
            return None
        parts: list[Any] = [self._front(len(columns[0]))]
        for column in columns:
            parts += (np.ascontiguousarray(column).data, bytes(-column.nbytes % _ALIGNED))
        return parts

    def _front(self, rows: int) -> bytes:
        front = self._fronts.get(rows)
        if front is None:
            if len(self._fronts) >= _FRONTS:
                self._fronts.clear()
            front = self._fronts[rows] = _front(self.schema, [np.zeros(rows, dtype) for dtype in self.dtypes])
        return front


def _front(schema: pa.Schema, columns: Sequence[NDArray[Any]]) -> bytes:
    """The bytes before the columns, as Arrow writes them."""
    arrays = [pa.array(column) for column in columns]
    arrays[0] = pa.DictionaryArray.from_arrays(arrays[0], pa.array([""], pa.string()))
    record = pa.RecordBatch.from_arrays(
        [one.view(to.type) for one, to in zip(arrays, schema, strict=True)], schema=schema
    )
    data: bytes = record.serialize().to_pybytes()
    return data[: len(data) - sum(-(-column.nbytes // _ALIGNED) * _ALIGNED for column in columns)]
