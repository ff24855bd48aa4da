"""What is noted of a write, as ASGI middleware behind the guard: after it was done, before it is answered."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from shopfloor.plant import StoreError
from shopfloor.services.security.guard import Caller
from shopfloor.services.security.rights import UNAUDITED, Right
from shopfloor.services.security.trail import Trail
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG: Final = logging.getLogger(__name__)
_MOST_BODY: Final = 16_384
_MOST_TEXT: Final = 2_000
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRET: Final = frozenset({"password", "old", "new", "token", "code", "secret"})


class NotingMiddleware:
    """Adds an entry to the audit for each request whose route names a right to change something."""

    def __init__(self, app: ASGIApp, trail: Trail, clock: Callable[[], int]) -> None:
        self._app, self._trail, self._clock = app, trail, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note what came of it."""
        if scope["type"] != "http" or scope["method"] in _READING:
            await self._app(scope, receive, send)
            return
        body = bytearray()
        refused = False

        async def noted(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and is_noted(scope["state"].get("right"), message["status"]):
                entry = told(scope, message["status"], bytes(body), self._clock())
                refused = not await asyncio.to_thread(self._note, entry)
                if refused:
                    await _UNNOTED(scope, receive, send)
            if not refused:
                await send(message)

        await self._app(scope, _kept(receive, body, Headers(scope=scope)), noted)

    def _note(self, entry: dict[str, Any]) -> bool:
        try:
            self._trail.append(entry)
        except StoreError as problem:
            _LOG.error("A write could not be noted: %s", problem)
            return False
        return True


_UNNOTED: Final = JSONResponse(
    {"detail": "This was asked and may have been done, but the audit cannot be written: see to the server's disk."}, 503
)


def is_noted(right: Right | None, status: int) -> bool:
    """Whether an answer belongs into the audit: what was changed, and what somebody was refused for want of a right.

    >>> is_noted(Right.SETPOINT, 200), is_noted(Right.SETPOINT, 422), is_noted(Right.SEE, 200)
    (True, False, False)
    """
    return right is not None and right not in UNAUDITED and (status < 400 or status in {401, 403, 504})


def told(scope: Scope, status: int, body: bytes, now: int) -> dict[str, Any]:
    """The entry of a request: who, what, from where, what was asked, and what its route said of before and after."""
    state, client = scope["state"], scope.get("client")
    who: Caller = state.get("noted_as") or state["who"]
    change = state.get("change", {})
    return {
        "time": now,
        "who": who.name,
        "role": who.role.value if who.role else "",
        "way": who.way,
        "right": state["right"].value,
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "from": client[0] if client else "",
        "asked": asked(body),
        "before": plain(change.get("before")),
        "after": plain(change.get("after")),
    }


def asked(body: bytes) -> Any:
    """A body of JSON without its secrets; None for anything else.

    >>> asked(b'{"name": "anna", "password": "x"}')
    {'name': 'anna', 'password': '***'}
    """
    try:
        said = json.loads(body) if body and len(body) <= _MOST_BODY else None
    except ValueError:
        return None
    return plain(said)


def plain(said: Any) -> Any:
    """As JSON can say it: no secrets, no NaN, long texts cut.

    >>> plain({"value": float("nan"), "why": "x"})
    {'value': None, 'why': 'x'}
    """
    if isinstance(said, dict):
        return {str(key): "***" if str(key) in _SECRET else plain(value) for key, value in said.items()}
    if isinstance(said, list | tuple):
        return [plain(value) for value in said]
    if isinstance(said, float):
        return said if said - said == 0 else None
    if said is None or isinstance(said, bool | int):
        return said
    text = str(said)
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + " …"


def _kept(receive: Receive, body: bytearray, headers: Headers) -> Receive:
    """Receive as before, and keep the beginning of what is JSON."""
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return receive

    async def kept() -> Message:
        message = await receive()
        if len(body) <= _MOST_BODY:
            body.extend(message.get("body", b""))
        return message

    return kept
