"""What many Arrow IPC streams with the same names have in common is made once: schema and dictionary of names.

Source: Arrow columnar format, "IPC streaming format" (schema, dictionaries, record batches, end of stream).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""End of an IPC stream."""
_WORTH_IT: Final = 64
_KEPT: Final = 64
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

    def of(self, schema: pa.Schema, names: tuple[str, ...]) -> Head | None:
        """The head of a stream, or None when the names are few or new: write those in one piece.

        `schema` must have a dictionary of text as its first column.
        """
        if len(names) < _WORTH_IT:
            return None
        key = (str(schema.field("value").type), names)
        seen = key in self._heads
        head = self._heads.pop(key, None) or (_head(schema, names) if seen else None)
        self._heads[key] = head
        if len(self._heads) > _KEPT:
            self._heads.popitem(last=False)
        return head


def _head(schema: pa.Schema, names: tuple[str, ...]) -> Head:
    dictionary = pa.array(names, pa.string())
    columns = [pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), dictionary)]
    columns += [pa.array([], column.type) for column in list(schema)[1:]]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    reader = pa.ipc.MessageReader.open_stream(sink.getvalue())
    return Head(dictionary, b"".join(reader.read_next_message().serialize().to_pybytes() for _ in range(2)))
