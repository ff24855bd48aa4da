"""Errands: what people ask of a gateway. Gateways fetch them, so that no port is open at the edge.

Everything here lives in the server's event loop. An errand is forgotten when the asker goes away.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.gateways import Gateways

_TAKEN_S: Final = 10.0
_SILENT_S: Final = 120.0
_AHEAD: Final = 64

Part = dict[str, Any]


class GatewayUnknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """No gateway of that name has ever reported."""


@dataclass(slots=True)
class _Errand:
    id: str
    kind: str
    body: Part
    parts: asyncio.Queue[Part] = field(default_factory=lambda: asyncio.Queue(_AHEAD))
    taken: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Desk:
    """One gateway's errands: those that wait to be fetched, those that are being done, those nobody wants any more.

    `turn` counts who came to fetch: a gateway that was restarted leaves behind a request to which nobody listens.
    """

    waiting: list[_Errand] = field(default_factory=list)
    open: dict[str, _Errand] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    turn: int = 0


class Errands:
    """Desks by gateway id."""

    def __init__(self, gateways: Gateways, patience_s: float = _TAKEN_S) -> None:
        self._gateways, self._patience_s = gateways, patience_s
        self._desks: dict[str, _Desk] = {}

    def gateway(self, name: str) -> str:
        """The id of a gateway by its name (or id); `GatewayUnknown` names those there are."""
        posts = self._gateways.posts()
        for post in posts:
            if name in {post.name, post.gateway}:
                return post.gateway
        known = ", ".join(post.name for post in posts) or "none has reported yet"
        raise GatewayUnknown(f"There is no gateway {name[:100]!r}: known are {known}.")

    async def ask(self, name: str, kind: str, body: Part) -> AsyncGenerator[Part, None]:
        """The parts of the answer as they come; the last one is {"done": true} or {"error": sentence}."""
        desk = self._desks.setdefault(self.gateway(name), _Desk())
        errand = _Errand(secrets.token_hex(8), kind, body)
        desk.waiting.append(errand)
        desk.open[errand.id] = errand
        desk.rung.set()
        try:
            async for part in self._parts(name, errand):
                yield part
        finally:
            del desk.open[errand.id]
            if errand in desk.waiting:
                desk.waiting.remove(errand)
            else:
                desk.gone.append(errand.id)
                desk.rung.set()

    async def _parts(self, name: str, errand: _Errand) -> AsyncGenerator[Part, None]:
        if not await _within(errand.taken.wait, self._patience_s):
            yield {"error": f"The gateway {name} fetches no requests: look whether it runs and reaches this server."}
            return
        ended = False
        while not ended:
            part = await _within(errand.parts.get, _SILENT_S)
            if part is None:
                part = {"error": f"The gateway {name} has stopped answering: look at its log and ask again."}
            ended = "done" in part or "error" in part
            yield part

    async def take(self, gateway: str, wait_s: float) -> dict[str, Any]:
        """What a gateway has to do; waits until there is something, at most `wait_s`. Only who came last gets it."""
        desk = self._desks.setdefault(gateway, _Desk())
        desk.turn += 1
        turn = desk.turn
        if not (desk.waiting or desk.gone):
            desk.rung.clear()
            await _within(desk.rung.wait, wait_s)
        if turn != desk.turn:
            return {"errands": [], "gone": []}
        errands, desk.waiting = desk.waiting, []
        gone, desk.gone = desk.gone, []
        for errand in errands:
            errand.taken.set()
        return {"errands": [{"id": e.id, "kind": e.kind, "body": e.body} for e in errands], "gone": gone}

    async def answer(self, gateway: str, number: str, parts: Sequence[Part], end: Part | None) -> bool:
        """Take parts of an answer; a slow asker slows the gateway. False when nobody waits for it."""
        for part in [*parts, *([end] if end else [])]:
            errand = self._find(gateway, number)
            while errand is not None and errand.parts.full():
                await asyncio.sleep(0.02)
                errand = self._find(gateway, number)
            if errand is None:
                return False
            errand.parts.put_nowait(part)
        return self._find(gateway, number) is not None

    def _find(self, gateway: str, number: str) -> _Errand | None:
        desk = self._desks.get(gateway)
        return desk.open.get(number) if desk else None


async def _within(work: Callable[[], Any], seconds: float) -> Any:
    """What the work answers, or None when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await work()
    except TimeoutError:
        return None
