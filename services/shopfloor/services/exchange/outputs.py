"""The forms in which values leave: each takes portions of rows and writes them to an open binary file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, Final, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from shopfloor.plant import Kind
from shopfloor.services.historian.remote.lineprotocol import prefix, render
from shopfloor.services.historian.rows import Rows

_TIME: Final = pa.timestamp("ns", "UTC")
_VALUE: Final = {Kind.FLOAT: pa.float64(), Kind.INT: pa.int64(), Kind.TEXT: pa.string()}
_COLUMN: Final = {Kind.FLOAT: "value", Kind.INT: "integer", Kind.TEXT: "text"}
SCHEMA: Final = pa.schema(
    [
        ("tag", pa.dictionary(pa.int32(), pa.string())),
        ("time", _TIME),
        *((_COLUMN[kind], _VALUE[kind]) for kind in Kind),
        ("quality", pa.uint32()),
    ]
)
"""Columns of a Parquet file: a value stands in the column of its kind, the others are null."""
HEADER: Final = "time,tag,value,quality,kind"


class Output(Protocol):
    """Writes rows whose tag t is `names[t]`; `finish` ends the file."""

    def write(self, kind: Kind, rows: Rows) -> None:
        """The next rows."""
        ...

    def finish(self) -> None:
        """Nothing more comes."""
        ...


class CsvOutput:
    """`time,tag,value,quality,kind`: ns times in UTC, shortest numbers that read back to the last bit."""

    def __init__(self, out: BinaryIO, names: Sequence[str]) -> None:
        self._out, self._names = out, pa.array(names, pa.string())
        out.write(f"{HEADER}\n".encode())

    def write(self, kind: Kind, rows: Rows) -> None:
        """One line a value."""
        columns = [
            pa.array(rows.time).view(_TIME),
            self._names.take(pa.array(rows.tag)),
            pa.array(rows.value, _VALUE[kind], from_pandas=False),
            pa.array(rows.quality),
            pa.repeat(kind.value, len(rows)),
        ]
        table = pa.Table.from_arrays(columns, HEADER.split(","))
        pa_csv.write_csv(table, self._out, pa_csv.WriteOptions(include_header=False))

    def finish(self) -> None:
        """A CSV file just ends."""


class ParquetOutput:
    """Columns of `SCHEMA`, zstd."""

    def __init__(self, out: BinaryIO, names: Sequence[str]) -> None:
        self._names = pa.array(names, pa.string())
        self._writer = pq.ParquetWriter(out, SCHEMA, compression="zstd", use_dictionary=["tag", "text", "quality"])

    def write(self, kind: Kind, rows: Rows) -> None:
        """One row group a portion."""
        columns = {_COLUMN[other]: pa.nulls(len(rows), _VALUE[other]) for other in Kind}
        columns[_COLUMN[kind]] = pa.array(rows.value, _VALUE[kind], from_pandas=False)
        columns["tag"] = pa.DictionaryArray.from_arrays(pa.array(rows.tag, pa.int32()), self._names)
        columns["time"], columns["quality"] = pa.array(rows.time).view(_TIME), pa.array(rows.quality)
        self._writer.write_table(pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA))

    def finish(self) -> None:
        """Write the footer."""
        self._writer.close()


class LineOutput:
    """Line protocol as the mirror writes it. It knows neither NaN nor infinity: of those only the quality remains."""

    def __init__(self, out: BinaryIO, names: Sequence[str]) -> None:
        self._out, self._prefixes = out, [prefix(name) for name in names]

    def write(self, kind: Kind, rows: Rows) -> None:
        """One line a value."""
        self._out.write(render(rows, kind, self._prefixes))

    def finish(self) -> None:
        """Line protocol just ends."""


OUTPUTS: Final[dict[str, Callable[[BinaryIO, Sequence[str]], Output]]] = {
    "csv": CsvOutput,
    "parquet": ParquetOutput,
    "lines": LineOutput,
}
SUFFIXES: Final = {".csv": "csv", ".parquet": "parquet", ".lp": "lines", ".line": "lines"}
