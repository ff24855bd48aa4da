"""The live socket."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket
from shopfloor.services.live import Live


def router(live: Live) -> APIRouter:
    """`WebSocket live`."""
    routes = APIRouter()

    @routes.websocket("/live")
    async def serve(socket: WebSocket) -> None:
        """Serve one page."""
        await live.serve(socket)

    return routes
