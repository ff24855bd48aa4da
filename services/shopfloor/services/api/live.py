"""The live socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec
from fastapi import APIRouter, WebSocket
from shopfloor.services.api.needs import needs
from shopfloor.services.api.routes import Routes
from shopfloor.services.live import Live
from shopfloor.services.live.clients import Client
from shopfloor.services.live.words import EXPECTED, MOST_TAGS, Message, Subscribe, frame
from shopfloor.services.security import Caller, Guard, Right, Role
from shopfloor.services.security.middleware import read
from shopfloor.services.security.seeing import may_see
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

RECHECK_S: Final = 1.0
LEFT: Final = 4401
"""The code with which a socket closes whose caller may see no more."""


def router(live: Live, guard: Guard) -> APIRouter:
    """`WebSocket live`."""
    routes = Routes()

    @routes.websocket("/live", dependencies=[needs(Right.SEE)])
    async def serve(socket: WebSocket) -> None:
        """Serve one page until it leaves, or its caller may no longer see what it shows."""
        role = role_of(guard, socket)
        await socket.accept()
        with live.joined() as client:
            sender = asyncio.create_task(_send(socket, live, client), name="live sender")
            watcher = asyncio.create_task(_watch(socket, role), name="live watcher")
            try:
                async for text in socket.iter_text():
                    if (problem := await _hear(live, client, text, role())) is not None:
                        await socket.close(1007, problem)
                        return
            except WebSocketDisconnect:
                pass
            finally:
                sender.cancel()
                watcher.cancel()
                await asyncio.gather(sender, watcher, return_exceptions=True)

    return routes


async def _send(socket: WebSocket, live: Live, client: Client) -> None:
    try:
        while True:
            await socket.send_bytes(await live.next(client))
    except (WebSocketDisconnect, RuntimeError):
        return


def role_of(guard: Guard, connection: HTTPConnection) -> Callable[[], Role | None]:
    """Which role its caller has whenever it is asked: none once they signed out, were disabled, or lost their token."""
    request = read(connection.scope)

    def role() -> Role | None:
        caller = guard.judge(request)
        return caller.role if isinstance(caller, Caller) else None

    return role


async def _watch(socket: WebSocket, role: Callable[[], Role | None]) -> None:
    while True:
        await asyncio.sleep(RECHECK_S)
        if not may_see(role(), "values"):
            break
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.close(LEFT, "The session ended, or its role no longer allows what the page shows.")


async def _hear(live: Live, client: Client, text: str, role: Role | None) -> str | None:
    """Act on a message; returns what is wrong with it."""
    try:
        wish = msgspec.json.decode(text, type=Message).subscribe
    except msgspec.MsgspecError:
        return EXPECTED
    if (problem := complaint(live, wish)) is not None:
        return problem
    refused = withhold(wish, role)
    await live.subscribe(client, wish)
    if refused:
        client.first.append(frame("refused", names=refused[:100], count=len(refused)))
    return None


def complaint(live: Live, wish: Subscribe) -> str | None:
    """What is wrong with a wish, in a sentence that fits a close frame."""
    if len(wish.tags) > MOST_TAGS:
        return f"{len(wish.tags)} tags are too many for one page: at most {MOST_TAGS}."
    unknown = sorted(set(wish.topics) - set(live.topics))
    if unknown:
        return f"Unknown topic {unknown[0][:40]!r}: known are {', '.join(live.topics)}."
    return None


def withhold(wish: Subscribe, role: Role | None) -> list[str]:
    """Take out of a wish what the caller may not see; answers that."""
    refused = [name for name in (*wish.tags, *wish.topics) if not may_see(role, name)]
    if refused:
        hidden = set(refused)
        wish.tags = [name for name in wish.tags if name not in hidden]
        wish.topics = [name for name in wish.topics if name not in hidden]
    return refused
