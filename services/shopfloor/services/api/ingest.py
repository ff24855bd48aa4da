"""Ingest: where gateways hand over batches. A 200 means: durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field
from shopfloor.plant import Batch, BatchError, RejectedError
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ARROW, ERRORS, TOO_LARGE, answer, problem, refused
from shopfloor.services.catalog import Catalog
from shopfloor.services.historian import Historian, SequenceGap, Stored
from shopfloor.services.security.rights import Right
from starlette.responses import Response

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_ROWS: Final = 200_000
_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_MANY: Final = (1 << 63) - 1


class StoredAnswer(BaseModel):
    """What became of a batch; a batch that came before is stored once and answered as a duplicate."""

    stored: int
    duplicate: bool


class Expected(BaseModel):
    """A batch came too early; send this sequence first."""

    detail: str
    expected: int


class Rejection(BaseModel):
    """A batch that this server refused and the gateway put aside."""

    gateway: str = Field(pattern=_NAME)
    sequence: int = Field(ge=0, le=_MANY)
    source: str = Field(min_length=1, max_length=200)
    values: int = Field(ge=0, le=_MANY)
    accepted: int = Field(ge=0, le=_MANY)
    sentence: str = Field(max_length=2_000)


class DroppedSource(BaseModel):
    """What one source lost with the dropped batches, and all that it had accepted after them."""

    source: str = Field(min_length=1, max_length=200)
    values: int = Field(ge=0, le=_MANY)
    accepted: int = Field(ge=0, le=_MANY)


class Hole(BaseModel):
    """Batches that a gateway dropped because its spool was full: sequences `first` to `last`."""

    gateway: str = Field(pattern=_NAME)
    first: int = Field(ge=0, le=_MANY)
    last: int = Field(ge=0, le=_MANY)
    sources: list[DroppedSource] = Field(min_length=1, max_length=1_000)


class TooLargeError(RejectedError):
    """A body beyond the limit."""


def router(historian: Historian, catalog: Catalog) -> APIRouter:
    """`POST ingest`, `POST ingest/rejected` and `POST ingest/dropped`."""
    routes = Routes(tags=["gateway"], responses=ERRORS, dependencies=[needs(Right.FORWARD)])
    threads = ThreadPoolExecutor(4, "ingest")

    @routes.post(
        "/ingest",
        response_model=StoredAnswer,
        responses={
            409: {"model": Expected, "description": "A sequence is missing."},
            **refused({413: "More than 16 MB."}),
        },
        openapi_extra={"requestBody": {"required": True, "content": {ARROW: {"schema": {"type": "string"}}}}},
    )
    async def ingest(
        request: Request,
        x_gateway: Annotated[str, Header(pattern=_NAME)],
        x_sequence: Annotated[int, Header(ge=0, le=_MANY)],
        x_source: Annotated[str, Header(min_length=1, max_length=200)],
        x_accepted: Annotated[int, Header(ge=0, le=_MANY)],
    ) -> Response:
        """Store a batch (an Arrow IPC stream of one record), durably and once."""
        try:
            body = await read_body(request)
        except TooLargeError as error:
            return problem(413, str(error))

        def store() -> Stored:
            batch = read_batch(body)
            stored = historian.ingest(x_gateway, x_sequence, x_source, x_accepted, batch, body)
            catalog.heard(x_gateway, x_source, batch)
            return stored

        try:
            stored = await asyncio.get_running_loop().run_in_executor(threads, store)
        except SequenceGap as gap:
            return answer({"detail": str(gap), "expected": gap.expected}, 409)
        return answer({"stored": stored.values, "duplicate": stored.duplicate})

    @routes.post(
        "/ingest/rejected",
        response_model=StoredAnswer,
        responses={409: {"model": Expected, "description": "A sequence is missing."}, **TOO_LARGE},
    )
    async def rejected(said: Rejection) -> Response:
        """Note a batch that was refused, so that the sequence and the ledger go on."""
        return await noted(
            lambda: historian.note_rejected(
                said.gateway, said.sequence, said.source, said.values, said.accepted, said.sentence
            )
        )

    @routes.post(
        "/ingest/dropped",
        response_model=StoredAnswer,
        responses={409: {"model": Expected, "description": "A sequence is missing."}, **TOO_LARGE},
    )
    async def dropped(said: Hole) -> Response:
        """Note batches that a full spool gave up, so that the sequence and the ledger go on."""
        sources = {one.source: (one.values, one.accepted) for one in said.sources}
        return await noted(lambda: historian.note_dropped(said.gateway, said.first, said.last, sources))

    async def noted(note: Callable[[], Stored]) -> Response:
        try:
            stored = await asyncio.get_running_loop().run_in_executor(threads, note)
        except SequenceGap as gap:
            return answer({"detail": str(gap), "expected": gap.expected}, 409)
        return answer({"stored": 0, "duplicate": stored.duplicate})

    return routes


def read_batch(body: bytes) -> Batch:
    """Decode a body; whatever it is instead of a batch raises `RejectedError`."""
    try:
        batch = Batch.from_bytes(body)
    except BatchError as error:
        raise RejectedError(str(error)) from error
    if len(batch) > MOST_ROWS:
        raise RejectedError(f"The batch has {len(batch)} rows: at most {MOST_ROWS} are taken at once.")
    return batch


async def read_body(request: Request) -> bytes:
    """The body, or `TooLargeError` as soon as it is known to be."""
    too_large = TooLargeError(f"The batch is larger than {MOST_BYTES >> 20} MB: send at most {MOST_ROWS} rows at once.")
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)
