"""Long answers in portions: bounded memory here, and no work for a client that has gone away."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

import pyarrow as pa
from shopfloor.plant import ShopfloorError
from shopfloor.services.api.wire import ARROW, PLAIN
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class Gone(Exception):  # noqa: N818 (a state of the world)
    """The client went away before its answer was there."""


async def watched(receive: Receive, work: Callable[[], _Answer], cancel: Callable[[], None]) -> _Answer:
    """Work in a thread; when the client goes away meanwhile, call `cancel`, which ends the work soon, and raise `Gone`.

    The body of the request must have been read.
    """
    working = asyncio.ensure_future(run_in_threadpool(work))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not leaving.done():
            return working.result()
        cancel()
        with suppress(ShopfloorError):
            await working
        raise Gone
    finally:
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Portions(Response):
    """Bytes that are sent as they are made; what fails before the first of them is an answer.

    When the client goes away, `cancel` is called and the parts are closed. What fails later breaks the connection
    off, so that half an answer is never taken for a whole one.
    """

    def __init__(
        self,
        parts: Generator[bytes],
        media_type: str,
        cancel: Callable[[], None] = lambda: None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code, self.media_type, self.background = 200, media_type, None
        self.init_headers({**PLAIN, **(headers or {})})
        self._parts, self._cancel = parts, cancel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send portion after portion."""
        started = False
        try:
            while (part := await watched(receive, self._next, self._cancel)) is not None:
                if not started:
                    await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                    started = True
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except Gone:
            _log.info("The client of %s went away", scope["path"])
        except ShopfloorError as problem:
            if not started:
                raise
            _log.warning("The answer to %s is broken off: %s", scope["path"], problem)
        finally:
            await run_in_threadpool(self._parts.close)

    def _next(self) -> bytes | None:
        return next(self._parts, None)


class ArrowPortions(Portions):
    """Record batches as one Arrow IPC stream."""

    def __init__(
        self,
        batches: Generator[pa.RecordBatch],
        cancel: Callable[[], None] = lambda: None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(encoded(batches), ARROW, cancel, headers)


def encoded(batches: Generator[pa.RecordBatch]) -> Generator[bytes]:
    """An Arrow IPC stream, a piece for each batch; closing it closes the batches."""
    sink = io.BytesIO()
    writer: pa.ipc.RecordBatchStreamWriter | None = None
    try:
        for batch in batches:
            writer = writer or pa.ipc.new_stream(sink, batch.schema)
            writer.write_batch(batch)
            yield _taken(sink)
        if writer is not None:
            writer.close()
            yield _taken(sink)
    finally:
        batches.close()


def _taken(sink: io.BytesIO) -> bytes:
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


def head(batches: Iterator[pa.RecordBatch], rows: int) -> pa.Table:
    """The first `rows` rows and maybe a few more; no further batch is asked for."""
    taken: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        taken.append(batch)
        count += batch.num_rows
        if count >= rows:
            break
    return pa.Table.from_batches(taken)
