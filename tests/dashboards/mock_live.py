"""What the mock server sends by itself: values, health and alarms, as frames over a WebSocket."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import mock_answers as answers
import msgspec
import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

if TYPE_CHECKING:
    from mock_server import Mock

TICK_S = 0.2


def now_ms() -> float:
    return time.time() * 1000


class Live:
    """The sockets of the pages."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.sockets: set[WebSocket] = set()
        self.subscriptions: list[list[str]] = []

    async def serve(self, ws: WebSocket) -> None:
        await ws.accept()
        self.sockets.add(ws)
        tags: list[str] = []
        pump = asyncio.create_task(self.pump(ws, tags))
        try:
            while True:
                asked = json.loads(await ws.receive_text())["subscribe"]
                tags[:] = [tag for tag in asked["tags"] if tag in self.mock.plant.tags]
                self.subscriptions.append(list(tags))
                numbers = np.arange(len(tags), dtype=np.int32).tobytes()
                hello = {"boot": "mock", "seq": 0, "first": True, "resumed": False, "tags": list(tags), "i": numbers}
                if self.mock.silent:
                    continue
                await self.send(ws, {"k": "hello", "time": now_ms(), **hello})
        except WebSocketDisconnect:
            pass
        finally:
            pump.cancel()
            self.sockets.discard(ws)

    async def pump(self, ws: WebSocket, tags: list[str]) -> None:
        seq = 0
        while True:
            await asyncio.sleep(TICK_S)
            if self.mock.silent:
                continue
            seq += 1
            await self.send(ws, self.frame(seq, tags))
            if seq % 5 == 0:
                await self.send(
                    ws,
                    {
                        "k": "health",
                        "seq": seq,
                        "value": answers.health(self.mock.plant, now_ms(), self.mock.start, self.mock.busy),
                    },
                )

    def frame(self, seq: int, tags: list[str]) -> dict[str, Any]:
        ms = now_ms() // 200 * 200
        due = [
            i
            for i, tag in enumerate(tags)
            if self.mock.numeric(tag) and (self.mock.plant.rates[tag] > 1 or seq % 5 == 0)
        ]
        value = np.array([self.mock.value(tags[i], ms) for i in due], np.float64)
        quality = np.array([self.mock.quality(tags[i]) for i in due], np.uint32)
        texts = [
            [i, ms, self.mock.value(tag, ms), 0]
            for i, tag in enumerate(tags)
            if self.mock.plant.tags[tag]["kind"] == "text" and seq % 5 == 0
        ]
        index, time = np.array(due, np.int32).tobytes(), np.full(len(due), ms).tobytes()
        part = {"i": index, "t": time, "v": value.tobytes(), "q": quality.tobytes(), "x": texts}
        return {"k": "values", "seq": seq, "time": now_ms(), "parts": [part]}

    async def tell_alarms(self) -> None:
        for ws in list(self.sockets):
            items = [a for a in self.mock.alarms if a["state"] != "closed" and not a.get("aside")]
            await self.send(ws, {"k": "alarms", "seq": 1, "whole": True, "more": False, "items": items, "gone": []})

    async def send(self, ws: WebSocket, frame: dict[str, Any]) -> None:
        await ws.send_bytes(msgspec.msgpack.encode(frame))
