"""Parquet files: as `shopfloor export` writes them, long (time, tag, value), or wide (a column for each tag)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from shopfloor.plant import Batch, Kind, QuestionError
from shopfloor.services.exchange.columns import Columns, Reading, Refused, as_row, understand
from shopfloor.services.exchange.csv_in import LONG, ROWS

_OURS = {"value": Kind.FLOAT, "integer": Kind.INT, "text": Kind.TEXT}


class ParquetInput:
    """Reads a Parquet file; a "line" is the number of a row, from 1."""

    def __init__(self, file: Path, reading: Reading) -> None:
        try:
            self._file = pq.ParquetFile(file, page_checksum_verification=True)
        except (OSError, pa.ArrowException) as problem:
            raise QuestionError(f"{file} is no Parquet file ({problem}).") from problem
        self.header = list(self._file.schema_arrow.names)
        self._names = [reading.names.get(name, name) for name in self.header]
        self._reading = reading

    @property
    def head(self) -> str:
        """A refused row is told by its number."""
        return "refused_line,refused_why\n"

    def aside(self, line: int, sentence: str) -> str:
        """The number of the row, from 1, and the reason."""
        return as_row([], 0, line, sentence)

    def parts(self) -> Iterator[tuple[list[Batch], list[Refused]]]:
        """About `ROWS` values at a time."""
        first = 1
        try:
            for record in self._file.iter_batches(ROWS):
                named = record.rename_columns(self._names)
                for columns in self._parts(named, np.arange(first, first + len(named), dtype=np.int64)):
                    yield understand(columns, self._reading)
                first += len(named)
        except (OSError, pa.ArrowException) as problem:
            raise QuestionError(f"The Parquet file is damaged after row {first - 1} ({problem}).") from problem

    def _parts(self, record: pa.RecordBatch, line: np.ndarray) -> Iterator[Columns]:
        if "time" not in self._names:
            raise QuestionError(f"The columns {', '.join(self.header)[:200]} have no time: rename one with --map.")
        if not set(LONG) <= set(self._names):
            yield from self._wide(record, line)
            return
        quality = record.column("quality") if "quality" in self._names else None
        for name in [name for name in _OURS if name in self._names]:
            yield from _long(record, line, record.column(name), record.column("tag"), quality)

    def _wide(self, record: pa.RecordBatch, line: np.ndarray) -> Iterator[Columns]:
        for name in [name for name in self._names if name != "time"]:
            yield from _long(record, line, record.column(name), pa.repeat(name, len(record)), None)


def _long(
    record: pa.RecordBatch, line: np.ndarray, value: pa.Array, tag: pa.Array, quality: pa.Array | None
) -> Iterator[Columns]:
    """The rows that have a value in this column."""
    keep = pc.is_valid(value)
    value = value.filter(keep)
    if pa.types.is_dictionary(value.type) or pa.types.is_large_string(value.type):
        value = value.cast(pa.string())
    if pa.types.is_boolean(value.type):
        value = value.cast(pa.int8()).cast(pa.float64())
    if len(value):
        kind = pa.repeat(Kind.TEXT.value, len(value)) if pa.types.is_string(value.type) else None
        chosen = None if quality is None else quality.filter(keep)
        rows = np.flatnonzero(keep.to_numpy(zero_copy_only=False))
        yield Columns(line[rows], tag.filter(keep), record.column("time").filter(keep), value, chosen, kind)
