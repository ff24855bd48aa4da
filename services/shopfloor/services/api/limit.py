"""How much a request may bring: without a bound, one caller could fill the memory of the server."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from fastapi import HTTPException
from shopfloor.services.api.wire import problem
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 2_000_000
_SENTENCE: Final = f"The body is larger than {MOST_BYTES // 1_000_000} MB: send less at once, see /docs."


class BodyLimit:
    """ASGI middleware: a body of more than 2 MB answers 413. The paths of `but` and below `below` have their own."""

    def __init__(self, app: ASGIApp, but: Collection[str] = (), below: str = "") -> None:
        self._app = app
        self._but = but
        self._below = below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count what comes."""
        if scope["type"] != "http" or self._is_free(scope["path"]):
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if said.isdecimal() and int(said) > MOST_BYTES:
            await problem(413, _SENTENCE)(scope, receive, send)
            return
        await self._app(scope, _counted(receive), send)

    def _is_free(self, path: str) -> bool:
        return path in self._but or bool(self._below and path.startswith(self._below))


def _counted(receive: Receive) -> Receive:
    """Receive as before, until there is too much."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BYTES:
            raise HTTPException(413, _SENTENCE)
        return message

    return counted
