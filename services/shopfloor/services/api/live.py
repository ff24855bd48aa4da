"""The live socket."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import APIRouter, WebSocket
from shopfloor.services.live import Live
from shopfloor.services.live.clients import Client
from shopfloor.services.live.words import EXPECTED, MOST_TAGS, Message, Subscribe, frame
from shopfloor.services.security.seeing import may_see
from starlette.websockets import WebSocketDisconnect


def router(live: Live) -> APIRouter:
    """`WebSocket live`."""
    routes = APIRouter()

    @routes.websocket("/live")
    async def serve(socket: WebSocket) -> None:
        """Serve one page until it leaves."""
        await socket.accept()
        with live.joined() as client:
            sender = asyncio.create_task(_send(socket, live, client), name="live sender")
            try:
                async for text in socket.iter_text():
                    if (problem := await _hear(live, client, text, socket.state.caller)) is not None:
                        await socket.close(1007, problem)
                        return
            except WebSocketDisconnect:
                pass
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)

    return routes


async def _send(socket: WebSocket, live: Live, client: Client) -> None:
    try:
        while True:
            await socket.send_bytes(await live.next(client))
    except (WebSocketDisconnect, RuntimeError):
        return


async def _hear(live: Live, client: Client, text: str, caller: str) -> str | None:
    """Act on a message; returns what is wrong with it."""
    try:
        wish = msgspec.json.decode(text, type=Message).subscribe
    except msgspec.MsgspecError:
        return EXPECTED
    if (problem := complaint(live, wish)) is not None:
        return problem
    refused = withhold(wish, caller)
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


def withhold(wish: Subscribe, caller: str) -> list[str]:
    """Take out of a wish what the caller may not see; answers that."""
    refused = [name for name in (*wish.tags, *wish.topics) if not may_see(caller, name)]
    if refused:
        hidden = set(refused)
        wish.tags = [name for name in wish.tags if name not in hidden]
        wish.topics = [name for name in wish.topics if name not in hidden]
    return refused
