"""How the rows of a segment are encoded: chosen by what their values look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.segment import schema, to_table

_PLAIN: Final = {Kind.FLOAT: "BYTE_STREAM_SPLIT", Kind.INT: "DELTA_BINARY_PACKED"}
_SAMPLE: Final = 2048
_WINDOWS: Final = 4
_CODEC: Final = pa.Codec("zstd", 1)


def writer(
    where: Path | pa.NativeFile,
    kind: Kind,
    coarse: bool,
    *,
    final: bool = False,
) -> pq.ParquetWriter:
    """A Parquet writer with the encodings that measured best for plant data; `coarse` as `is_coarse` says.

    What is `final` is packed tighter, in more time: noise in split bytes and times by Brotli, which codes each byte's
    plane by itself where zstd codes them together, 6 % smaller; everything else by a higher level of zstd.
    """
    encoding = {"time": "DELTA_BINARY_PACKED"} | ({} if coarse else {"value": _PLAIN[kind]})
    packing = dict.fromkeys(schema(kind).names, ("zstd", 12 if final else 1))
    if final:
        packing["time"] = ("brotli", 6)
    if final and encoding.get("value") == "BYTE_STREAM_SPLIT":
        packing["value"] = ("brotli", 4)
    return pq.ParquetWriter(
        where,
        schema(kind),
        compression={name: codec for name, (codec, _) in packing.items()},
        compression_level={name: level for name, (_, level) in packing.items()},
        use_dictionary=["tag", "quality", *(["value"] if coarse else [])],
        column_encoding=encoding,
        write_statistics=["tag", "time", "quality"],
        write_page_checksum=True,
    )


def is_coarse(sample: Sequence[Rows], kind: Kind) -> bool:
    """Whether a dictionary of values makes the sample smaller than their bytes do: rounded and held values."""
    return kind is Kind.TEXT or _packed_size(sample, kind, coarse=True) < _packed_size(sample, kind, coarse=False)


def is_coarse_group(rows: Rows, kind: Kind) -> bool:
    """`is_coarse` of a whole row group, from samples of it.

    A sample has fewer different values than all rows; how many those have is told by how many came once and twice in it
    (Chao's estimate).

    >>> noise = np.random.default_rng(1).normal(size=20_000)
    >>> rows = Rows(np.zeros(20_000, np.int32), np.arange(20_000), noise, np.zeros(20_000, np.uint32))
    >>> is_coarse_group(rows, Kind.FLOAT)
    False
    >>> is_coarse_group(Rows(rows.tag, rows.time, np.round(noise, 2), rows.quality), Kind.FLOAT)
    True
    """
    if kind is Kind.TEXT:
        return True
    spread = rows.value[:: -(-len(rows) // _SAMPLE)]
    found, times = np.unique(spread, return_counts=True)
    if len(found) == len(spread) > 1:
        return False
    once, twice = int(np.sum(times == 1)), int(np.sum(times == 2))
    entries = min(len(found) + once**2 / max(2 * twice, 1), len(rows)) * rows.value.itemsize / len(rows)
    near = _windows(rows)
    return entries + _code_size(near.value) < _plain_size(near.value, kind)


def is_fine(value: NDArray[Any]) -> bool:
    """Whether most of the values differ from each other."""
    spread = value[:: -(-len(value) // 256)]
    return 2 * len(set(spread.tolist())) > len(spread) > 1


def _windows(rows: Rows) -> Rows:
    """A few short stretches of rows."""
    size = _SAMPLE // _WINDOWS
    if len(rows) <= _SAMPLE:
        return rows
    starts = np.linspace(0, len(rows) - size, _WINDOWS).astype(np.int64)
    return rows.take((starts[:, None] + np.arange(size)).ravel())


def _code_size(value: NDArray[Any]) -> float:
    """Bytes per row of the values' numbers in a dictionary."""
    found, codes = np.unique(value, return_inverse=True)
    width = np.uint8 if len(found) <= 256 else np.uint16
    return len(_CODEC.compress(codes.astype(width).tobytes(), asbytes=True)) / len(value)


def _plain_size(value: NDArray[Any], kind: Kind) -> float:
    """Bytes per row of the values without a dictionary."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table({"value": value}), sink, use_dictionary=False, column_encoding=_PLAIN[kind], compression="zstd",
        compression_level=1, write_statistics=False, store_schema=False,
    )  # fmt: skip
    return len(sink.getvalue()) / len(value)


def _packed_size(sample: Sequence[Rows], kind: Kind, *, coarse: bool) -> int:
    sink = pa.BufferOutputStream()
    with writer(sink, kind, coarse) as out:
        for rows in sample:
            out.write_table(to_table(rows, kind))
    return len(sink.getvalue())
