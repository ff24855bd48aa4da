"""Arrow over HTTP: an answer as one IPC stream, and what it took to find it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
from fastapi import HTTPException, Request
from shopfloor.services.api.wire import ARROW, PLAIN
from starlette.responses import Response

EXPLAIN: Final = "X-Explain"
MOST_JSON_ROWS: Final = 250_000
BOTH: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {ARROW: {}}, "description": "JSON, or Arrow with nanoseconds by Accept."}
}


def wants_arrow(request: Request) -> bool:
    """Whether the caller asks for Arrow."""
    return ARROW in request.headers.get("accept", "")


def stream(table: pa.Table, headers: Mapping[str, str] | None = None, **metadata: str) -> Response:
    """A table as an Arrow IPC stream."""
    table = table.replace_schema_metadata(metadata or None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return Response(bytes(memoryview(sink.getvalue())), headers={**PLAIN, **(headers or {})}, media_type=ARROW)


def check_rows(rows: int) -> None:
    """Refuse an answer that is too long for JSON."""
    if rows > MOST_JSON_ROWS:
        raise HTTPException(
            422, f"{rows} values are too many for JSON: ask with 'points', a shorter range, or Accept: {ARROW}."
        )
