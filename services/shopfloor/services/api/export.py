"""Export: every value of some tags as a file, written while it is sent."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from fastapi import APIRouter, Query
from shopfloor.services.api.history import time_range
from shopfloor.services.api.needs import needs
from shopfloor.services.api.portions import Portions
from shopfloor.services.api.read import batches
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ARROW, ERRORS, NOT_FOUND
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.historian import History
from shopfloor.services.security.rights import Right
from starlette.responses import Response

Format = Literal["csv", "parquet", "arrow"]
_SECOND: Final = 1_000_000_000
_TEXT: Final = "text/csv; charset=utf-8"
_PARQUET: Final = "application/vnd.apache.parquet"
_FILE: Final = {"schema": {"type": "string", "format": "binary"}}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {_TEXT: _FILE, _PARQUET: _FILE, ARROW: _FILE},
        "description": "tag, time (UTC), value, text, quality, unit",
    }
}


class Writer(Protocol):
    """What writes record batches into a file."""

    def write_batch(self, batch: pa.RecordBatch, /) -> None:
        """Write a batch."""

    def close(self) -> None:
        """Write the end of the file."""


class Sink(io.RawIOBase):
    """A file of which only what was not taken yet is in memory; its position counts all of it.

    >>> sink = Sink()
    >>> sink.write(b"one"), sink.taken(), sink.write(b"two"), sink.taken(), sink.tell()
    (3, b'one', 3, b'two', 6)
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._position

    def write(self, data: Any, /) -> int:
        """Keep bytes until they are taken."""
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


_KINDS: Final[dict[Format, tuple[str, str, Callable[[Sink, pa.Schema], Writer]]]] = {
    "csv": ("csv", _TEXT, pyarrow.csv.CSVWriter),
    "parquet": ("parquet", _PARQUET, pyarrow.parquet.ParquetWriter),
    "arrow": ("arrows", ARROW, pa.ipc.new_stream),
}


def router(catalog: Catalog, reader: History, clock: Clock) -> APIRouter:
    """`GET history/export`."""
    routes = Routes(tags=["values"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    @routes.get("/history/export", response_class=Response, responses=_FILES)
    def export(
        tag: Annotated[list[str], Query(description="Selectors of tags; repeat for more.", max_length=1000)],
        start: Annotated[float | None, Query(description="Epoch ms; by default an hour before the end.")] = None,
        end: Annotated[float | None, Query(description="Epoch ms, exclusive; by default now.")] = None,
        format: Annotated[Format, Query(description="What the file shall be.")] = "csv",  # noqa: A002
    ) -> Response:
        """Give every value of some tags as a file: by tag and then by time, with its quality and unit."""
        first, last = time_range(start, end, clock)
        tags = catalog.select(tag)
        units = {path: catalog.find(path).tag.unit for path in tags}
        ending, media_type, _ = _KINDS[format]
        name = f"{_stamp(first)}-{_stamp(last)}.{ending}"
        told = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Portions(_written(batches(reader, tags, first, last), units, format), media_type, headers=told)

    return routes


def _stamp(time: int) -> str:
    return datetime.fromtimestamp(time // _SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")


def _written(found: Generator[pa.RecordBatch], units: dict[str, str], kind: Format) -> Generator[bytes]:
    """A file, a piece for each batch; closing it closes the batches."""
    sink, (_, _, opened) = Sink(), _KINDS[kind]
    writer: Writer | None = None
    with closing(found):
        for batch in found:
            rows = _with_units(batch, units)
            writer = writer or opened(sink, rows.schema)
            writer.write_batch(rows)
            yield sink.taken()
        if writer is not None:
            writer.close()
            yield sink.taken()


def _with_units(batch: pa.RecordBatch, units: dict[str, str]) -> pa.RecordBatch:
    """The rows with the unit of each tag, as plain text: no reader of any format has to look one up."""
    tags = batch.column("tag").cast(pa.string())
    unit = pc.take(pa.array([*units.values()], pa.string()), pc.index_in(tags, pa.array([*units], pa.string())))
    columns = {name: batch.column(name) for name in batch.schema.names}
    return pa.record_batch(columns | {"tag": tags, "unit": unit})
