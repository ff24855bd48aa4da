"""Batch: many values in columns, the unit of flow from the device to the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import compress
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant.errors import BatchError
from shopfloor.plant.stream import END, Heads, Names, Record


class Kind(StrEnum):
    """The three kinds of value. Booleans and small integers travel exactly as float64."""

    FLOAT = "float64"
    INT = "int64"
    TEXT = "text"


_ARROW: Final = {Kind.FLOAT: pa.float64(), Kind.INT: pa.int64(), Kind.TEXT: pa.string()}
_NUMPY: Final = {Kind.FLOAT: np.dtype(np.float64), Kind.INT: np.dtype(np.int64), Kind.TEXT: np.dtype(object)}
_BY_LETTER: Final = {dtype.kind: kind for kind, dtype in _NUMPY.items()}
_TAG: Final = pa.dictionary(pa.int32(), pa.string())
_HEADS: Final = Heads()
_NAMES: Final = Names()


@cache
def schema(kind: Kind) -> pa.Schema:
    """Arrow schema of a batch: tag (dictionary of paths), time (ns, UTC), value, quality (OPC UA StatusCode)."""
    return pa.schema(
        [
            pa.field("tag", _TAG, nullable=False),
            pa.field("time", pa.timestamp("ns", "UTC"), nullable=False),
            pa.field("value", _ARROW[kind], nullable=False),
            pa.field("quality", pa.uint32(), nullable=False),
        ]
    )


_NUMBERS: Final = {
    kind: Record(schema(kind), tuple(map(np.dtype, ("<i4", "<i8", dtype, "<u4"))))
    for kind, dtype in {Kind.FLOAT: "<f8", Kind.INT: "<i8"}.items()
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one tag at one moment (UTC ns). For people, tests and the rim; never on the hot path."""

    tag: str
    time: int
    value: float | int | str
    quality: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Columns of one length: index into `names`, UTC ns, value, OPC UA StatusCode.

    `value` is float64, int64 or object (str). NaN is allowed: a bad float value travels as NaN with its quality.

    >>> batch = Batch.of([Sample("a/b/c/d/e/t", 1, 2.5)])
    >>> batch.kind, len(batch), next(iter(batch)).value
    (<Kind.FLOAT: 'float64'>, 1, 2.5)
    >>> Batch.from_bytes(batch.to_bytes()).value.tolist()
    [2.5]
    """

    names: tuple[str, ...]
    tag: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[Any]
    quality: NDArray[np.uint32]

    def __post_init__(self) -> None:
        if not len(self.tag) == len(self.time) == len(self.value) == len(self.quality):
            lengths = {len(self.tag), len(self.time), len(self.value), len(self.quality)}
            raise BatchError(f"The columns of a batch have {sorted(lengths)} rows: one length was expected.")
        if self.value.dtype not in _NUMPY.values():
            raise BatchError(f"A batch holds float64, int64 or text: not {self.value.dtype}.")

    @property
    def kind(self) -> Kind:
        """Which of the three kinds the values are."""
        return _BY_LETTER[self.value.dtype.kind]

    @classmethod
    def of(cls, samples: Iterable[Sample], kind: Kind | None = None) -> Self:
        """Columns from samples of one kind (by default, the kind of the first)."""
        rows = list(samples)
        kind = kind or _kind_of(rows)
        names = tuple(dict.fromkeys(row.tag for row in rows))
        index = {name: i for i, name in enumerate(names)}
        return cls(
            names,
            np.array([index[row.tag] for row in rows], np.int32),
            np.array([row.time for row in rows], np.int64),
            np.array([row.value for row in rows], _NUMPY[kind]),
            np.array([row.quality for row in rows], np.uint32),
        )

    def __len__(self) -> int:
        return len(self.time)

    def __iter__(self) -> Iterator[Sample]:
        for tag, time, value, quality in zip(
            self.tag.tolist(), self.time.tolist(), self.value.tolist(), self.quality.tolist(), strict=True
        ):
            yield Sample(self.names[tag], time, value, quality)

    def to_arrow(self) -> pa.RecordBatch:
        """The batch as Arrow, without a copy of its numbers."""
        return self._record(pa.array(self.names, pa.string()))

    def _message(self, names: pa.Array) -> list[Any]:
        columns = (self.tag, self.time, self.value, self.quality)
        parts = _NUMBERS[self.kind].parts(columns) if self.kind in _NUMBERS else None
        return parts or [self._record(names).serialize()]

    def _record(self, names: pa.Array) -> pa.RecordBatch:
        return pa.RecordBatch.from_arrays(
            [
                pa.DictionaryArray.from_arrays(pa.array(self.tag, pa.int32()), names),
                pa.array(self.time, pa.int64()).view(pa.timestamp("ns", "UTC")),
                pa.array(self.value, _ARROW[self.kind], from_pandas=False),
                pa.array(self.quality, pa.uint32()),
            ],
            schema=schema(self.kind),
        )

    @classmethod
    def from_arrow(cls, record: pa.RecordBatch) -> Self:
        """Read an Arrow record of `schema`; anything else raises `BatchError`."""
        kind = next((k for k in Kind if record.schema.equals(schema(k))), None)
        if kind is None:
            raise BatchError(
                f"An Arrow record has the columns {_describe(record.schema)}: expected {_describe(schema(Kind.FLOAT))}"
                " (or value int64 or string)."
            )
        if any(column.null_count for column in record.columns):
            raise BatchError("A batch holds no nulls: send NaN with a bad quality instead.")
        tag = record.column("tag")
        value = record.column("value")
        names = _NAMES.of(tag.dictionary)
        index = tag.indices.to_numpy(zero_copy_only=False)
        if len(index) and not 0 <= int(index.min()) <= int(index.max()) < len(names):
            raise BatchError(f"A tag index lies outside the {len(names)} names of its batch.")
        return cls(
            names,
            index,
            record.column("time").view(pa.int64()).to_numpy(zero_copy_only=False),
            np.array(value.to_pylist(), object) if kind is Kind.TEXT else value.to_numpy(zero_copy_only=False),
            record.column("quality").to_numpy(zero_copy_only=False),
        )

    def to_bytes(self) -> bytes:
        """The batch as one self-contained Arrow IPC stream: what lies in the spool and goes over the wire."""
        head = _HEADS.of(schema(self.kind), self.names)
        if head is not None:
            return b"".join((head.data, *self._message(head.dictionary), END))
        record = self.to_arrow()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, record.schema) as writer:
            writer.write_batch(record)
        return bytes(memoryview(sink.getvalue()))

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Self:
        """Read what `to_bytes` wrote; anything else raises `BatchError`."""
        try:
            with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
                records = list(reader)
            for record in records:
                record.validate(full=True)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
            raise BatchError(f"{len(data)} bytes are no Arrow IPC stream ({problem}).") from problem
        if len(records) != 1:
            raise BatchError(f"A batch is one Arrow record: these bytes hold {len(records)}.")
        try:
            return cls.from_arrow(records[0])
        except UnicodeDecodeError as problem:
            raise BatchError(f"{len(data)} bytes hold text that is not UTF-8 ({problem}).") from problem

    def take(self, rows: NDArray[Any] | slice) -> Batch:
        """The chosen rows (a mask, indices or a slice), with the same names."""
        return Batch(self.names, self.tag[rows], self.time[rows], self.value[rows], self.quality[rows])

    def used(self) -> Batch:
        """The same rows with only the names that occur in them, in the same order.

        >>> Batch.of([Sample("p", 1, 1.0), Sample("q", 2, 2.0)]).take(slice(1, 2)).used().names
        ('q',)
        """
        occurs = np.zeros(len(self.names), bool)
        occurs[self.tag] = True
        if occurs.all():
            return self
        place = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
        names = tuple(compress(self.names, occurs.tolist()))
        return Batch(names, place[self.tag], self.time, self.value, self.quality)

    def rename(self, names: Sequence[str]) -> Batch:
        """The same columns under other tag paths."""
        return Batch(tuple(names), self.tag, self.time, self.value, self.quality)


def concat(batches: Sequence[Batch]) -> Batch:
    """One batch of all rows, in order; the batches must be of one kind.

    >>> one = Batch.of([Sample("p", 1, 1.0)]); two = Batch.of([Sample("q", 2, 2.0)])
    >>> concat([one, two]).names
    ('p', 'q')
    """
    if len(batches) == 1:
        return batches[0]
    if len({batch.kind for batch in batches}) != 1:
        raise BatchError(f"{len(batches)} batches of several kinds (or none) cannot become one.")
    names: dict[str, int] = {}
    for batch in batches:
        for name in batch.names:
            names.setdefault(name, len(names))
    tags = [np.array([names[n] for n in batch.names], np.int32)[batch.tag] for batch in batches]
    return Batch(
        tuple(names),
        np.concatenate(tags),
        np.concatenate([batch.time for batch in batches]),
        np.concatenate([batch.value for batch in batches]),
        np.concatenate([batch.quality for batch in batches]),
    )


def _kind_of(rows: Sequence[Sample]) -> Kind:
    if not rows:
        raise BatchError("A batch of no samples needs its kind.")
    value = rows[0].value
    if isinstance(value, str):
        return Kind.TEXT
    return Kind.INT if isinstance(value, int) and not isinstance(value, bool) else Kind.FLOAT


def _describe(arrow: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in arrow)
