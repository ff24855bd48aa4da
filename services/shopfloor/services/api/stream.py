"""The live stream for scripts: server-sent events, or JSON lines."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, HTTPException, Query, Request
from shopfloor.services.api.live import RECHECK_S, complaint, role_of, withhold
from shopfloor.services.api.needs import needs, who
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS
from shopfloor.services.catalog import Catalog
from shopfloor.services.live import Live
from shopfloor.services.live.events import Reading
from shopfloor.services.live.words import Cursor, Subscribe
from shopfloor.services.security import Guard, Right, Role
from shopfloor.services.security.seeing import may_see
from starlette.responses import StreamingResponse

_LINES = "application/x-ndjson"
_EVENTS = "text/event-stream"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}


def router(live: Live, catalog: Catalog, guard: Guard) -> APIRouter:
    """`GET events/stream`."""
    routes = Routes(tags=["values"], responses=ERRORS, dependencies=[needs(Right.SEE)])

    @routes.get("/events/stream", response_class=StreamingResponse)
    async def get_stream(
        request: Request,
        tags: Annotated[list[str] | None, Query(description="Tags or patterns (`delta/*/*/*/cnc-01/*`).")] = None,
        topics: Annotated[list[str] | None, Query(description="`alarms`, `predictions`, `health`.")] = None,
        assets: Annotated[list[str] | None, Query(description="Alarms and predictions of these only.")] = None,
        last_event_id: Annotated[str, Header(description="Where the last stream ended: goes on there.")] = "",
        accept: Annotated[str, Header(description="`application/x-ndjson` for lines.")] = _EVENTS,
    ) -> StreamingResponse:
        """Follow values and topics as they happen, until you leave."""
        wish = Subscribe(catalog.select(_split(tags)), _split(topics), assets, 10, Cursor.parse(last_event_id))
        if not wish.tags and not wish.topics:
            raise HTTPException(422, "Name something to follow: ?tags=… or ?topics=alarms.")
        if (problem := complaint(live, wish)) is not None:
            raise HTTPException(422, problem)
        refused = withhold(wish, who(request).role)
        if refused:
            raise HTTPException(403, f"You may not see {refused[0][:200]!r}: ask for what you may.")
        as_lines = _LINES in accept
        kind = _LINES if as_lines else _EVENTS
        return StreamingResponse(
            _follow(live, wish, role_of(guard, request), as_lines=as_lines), media_type=kind, headers=_HEADERS
        )

    return routes


def _split(given: list[str] | None) -> list[str]:
    """Names may be repeated, or joined by commas."""
    return [name for text in given or [] for name in text.split(",") if name]


async def _follow(
    live: Live, wish: Subscribe, role: Callable[[], Role | None], *, as_lines: bool
) -> AsyncIterator[bytes]:
    due = time.monotonic() + RECHECK_S
    with live.joined() as client:
        await live.subscribe(client, wish)
        reading = Reading()
        while True:
            said = reading.told(await live.next(client))
            if time.monotonic() > due:
                due = time.monotonic() + RECHECK_S
                if not may_see(role(), "values"):
                    return
            here = "" if client.first else client.cursor(live.boot).text()
            if (data := _line(said, here) if as_lines else _event(said, here)) is not None:
                yield data


def _event(said: tuple[str, Any], here: str) -> bytes:
    kind, content = said
    if kind == "beat":
        return b": alive\n\n"
    mark = f"id: {here}\n" if here else ""
    return f"{mark}event: {kind}\ndata: ".encode() + msgspec.json.encode(content) + b"\n\n"


def _line(said: tuple[str, Any], here: str) -> bytes:
    kind, content = said
    return msgspec.json.encode({"event": kind, "id": here or None, "data": content}) + b"\n"
