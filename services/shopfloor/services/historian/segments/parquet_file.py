"""One Parquet file whose row groups may each be encoded in their own way.

Parquet lets every row group choose; a `ParquetWriter` encodes all it writes in one way. So each run of row groups of
one way has a writer of its own, which writes where the one before it ended, and one footer describes them all. A writer
wants to begin at 0, and notes where each row group truly lies: it is shown the start of a file that is appended to.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

Way = TypeVar("Way")
_MAGIC: Final = b"PAR1"


class ParquetFile(Generic[Way]):
    """A Parquet file that is written. Every table becomes one row group; `open_` makes a writer for those of a way.

    >>> import tempfile
    >>> table = pa.table({"value": [1.0, 2.0]})
    >>> def opened(where: pa.NativeFile, coded: bool) -> pq.ParquetWriter:
    ...     return pq.ParquetWriter(where, table.schema, use_dictionary=coded)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.parquet")
    ...     file = ParquetFile(path, opened)
    ...     file.write(table, True)
    ...     file.write(table, False)
    ...     file.close()
    ...     pq.read_table(path).column("value").to_pylist()
    [1.0, 2.0, 1.0, 2.0]
    """

    def __init__(self, path: Path, open_: Callable[[pa.NativeFile, Way], pq.ParquetWriter]) -> None:
        self._path, self._open = path, open_
        self._way: Way | None = None
        self._run: tuple[pq.ParquetWriter, pa.NativeFile] | None = None
        self._footer: pq.FileMetaData | None = None
        self._end = 0

    def write(self, table: pa.Table, way: Way) -> None:
        """The next row group."""
        writer, sink = self._run if self._run is not None and way == self._way else self._begin(way)
        writer.write_table(table, row_group_size=max(len(table), 1))
        self._end = sink.tell()

    def close(self) -> None:
        """Write the footer."""
        self._stop()
        if self._footer is not None:
            self._cut()
            whole = pa.BufferOutputStream()
            self._footer.write_metadata_file(whole)
            with self._path.open("ab") as file:
                file.write(memoryview(whole.getvalue())[len(_MAGIC) :])

    def abandon(self) -> None:
        """Let go of a file that is not wanted any more."""
        with contextlib.suppress(OSError, pa.ArrowException):
            self._stop()

    def _begin(self, way: Way) -> tuple[pq.ParquetWriter, pa.NativeFile]:
        more = self._run is not None
        self._stop()
        if more:
            self._cut()
        sink = pa.OSFile(str(self._path), "ab" if more else "wb")
        os.lseek(sink.fileno(), 0, os.SEEK_SET)
        self._run, self._way = (self._open(sink, way), sink), way
        os.lseek(sink.fileno(), 0, os.SEEK_END)
        return self._run

    def _stop(self) -> None:
        """End the run. Its writer adds a footer of its own."""
        if self._run is not None:
            writer, sink = self._run
            with sink:
                writer.close()

    def _cut(self) -> None:
        """Take the footer of the run that ended off the file, to what is known of the runs before it."""
        footer = pq.read_metadata(self._path)
        if self._footer is None:
            self._footer = footer
        else:
            self._footer.append_row_groups(footer)
        os.truncate(self._path, self._end)
