"""Errands: what people ask of a gateway. Gateways fetch them, so that no port is open at the edge.

Everything here lives in the server's event loop. An errand is forgotten when the asker goes away. With every request a
gateway says what it is doing: what it fetched and does not do any more was lost with a gateway that died. A question is
handed out again, once; of anything else nobody knows whether it was done, and the asker is told so at once.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.gateways import Gateways

_TAKEN_S: Final = 10.0
_SILENT_S: Final = 120.0
_AWAY_S: Final = 30.0
"""A gateway asks what there is to do every 20 s at the latest."""
_LOOK_S: Final = 0.5
_AHEAD: Final = 64
_QUESTIONS: Final = frozenset({"browse", "values", "entry", "examine", "certificates", "connections", "check", "audit"})
"""What changes nothing may be asked twice."""

Part = dict[str, Any]


class GatewayUnknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """No gateway of that name has ever reported."""


@dataclass(slots=True)
class _Errand:
    id: str
    kind: str
    body: Part
    name: str
    parts: asyncio.Queue[Part] = field(default_factory=asyncio.Queue)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    handed_out: int = 0
    answered: bool = False
    ended: bool = False

    @property
    def repeatable(self) -> bool:
        return self.kind in _QUESTIONS and not self.answered and self.handed_out < 2

    def end(self, part: Part) -> None:
        self.ended = True
        self.parts.put_nowait(part)


@dataclass(slots=True)
class _Desk:
    """One gateway's errands: those that wait to be fetched, those that are being done, those nobody wants any more.

    `turn` counts who came to fetch: a gateway that was restarted leaves behind a request to which nobody listens.
    `seen` is when it was heard last, by the clock of the loop.
    """

    waiting: list[_Errand] = field(default_factory=list)
    open: dict[str, _Errand] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    turn: int = 0
    seen: float = 0.0


class Errands:
    """Desks by gateway id."""

    def __init__(self, gateways: Gateways, patience_s: float = _TAKEN_S) -> None:
        self._gateways, self._patience_s = gateways, patience_s
        self.away_s = _AWAY_S
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
        errand = _Errand(secrets.token_hex(8), kind, body, name)
        desk.waiting.append(errand)
        desk.open[errand.id] = errand
        desk.rung.set()
        try:
            async for part in self._parts(desk, errand):
                yield part
        finally:
            del desk.open[errand.id]
            if errand in desk.waiting:
                desk.waiting.remove(errand)
            else:
                desk.gone.append(errand.id)
                desk.rung.set()

    async def _parts(self, desk: _Desk, errand: _Errand) -> AsyncGenerator[Part, None]:
        name = errand.name
        if not await _within(errand.taken.wait, self._patience_s):
            yield {"error": f"The gateway {name} fetches no requests: look whether it runs and reaches this server."}
            return
        ended = False
        while not ended:
            part = await self._next(desk, errand)
            if part is None:
                part = {"error": f"The gateway {name} has stopped answering: look at its log and ask again."}
            ended = "done" in part or "error" in part
            yield part

    async def _next(self, desk: _Desk, errand: _Errand) -> Part | None:
        """The next part; None when the gateway is there and says nothing for long."""
        loop = asyncio.get_running_loop()
        late = loop.time() + _SILENT_S
        while loop.time() < late:
            part: Part | None = await _within(errand.parts.get, _LOOK_S)
            if part is not None:
                return part
            if loop.time() - desk.seen > self.away_s:
                return _lost(errand)
        return None

    async def take(
        self,
        gateway: str,
        wait_s: float,
        doing: Collection[str] | None = None,
        left: Callable[[], Awaitable[bool]] | None = None,
    ) -> dict[str, Any]:
        """What a gateway has to do; waits until there is something, at most `wait_s`. Only who came last gets it.

        `doing` are the errands that it has and has not finished (None: it does not say), `left` whether it hung up.
        """
        desk = self._desks.setdefault(gateway, _Desk())
        desk.turn += 1
        turn = desk.turn
        if doing is not None:
            _miss(desk, doing)
        self._see(desk)
        if not (desk.waiting or desk.gone):
            desk.rung.clear()
            await _within(desk.rung.wait, wait_s)
        hung_up = left is not None and await left()
        if hung_up or turn != desk.turn:
            return {"errands": [], "gone": []}
        self._see(desk)
        errands, desk.waiting = desk.waiting, []
        gone, desk.gone = desk.gone, []
        for errand in errands:
            errand.handed_out += 1
            errand.taken.set()
        return {"errands": [{"id": e.id, "kind": e.kind, "body": e.body} for e in errands], "gone": gone}

    async def answer(self, gateway: str, number: str, parts: Sequence[Part], end: Part | None) -> bool:
        """Take parts of an answer; a slow asker slows the gateway. False when nobody waits for it."""
        for part in [*parts, *([end] if end else [])]:
            errand = self._find(gateway, number)
            while errand is not None and errand.parts.qsize() >= _AHEAD:
                await asyncio.sleep(0.02)
                errand = self._find(gateway, number)
            if errand is None:
                return False
            self._see(self._desks[gateway])
            errand.answered = True
            errand.ended = errand.ended or "done" in part or "error" in part
            errand.parts.put_nowait(part)
        return self._find(gateway, number) is not None

    def _see(self, desk: _Desk) -> None:
        desk.seen = asyncio.get_running_loop().time()

    def _find(self, gateway: str, number: str) -> _Errand | None:
        desk = self._desks.get(gateway)
        return desk.open.get(number) if desk else None


def _miss(desk: _Desk, doing: Collection[str]) -> None:
    """Hand out again, or give up, what the gateway fetched and does not do."""
    for errand in desk.open.values():
        if not errand.handed_out or errand.ended or errand in desk.waiting or errand.id in doing:
            continue
        if errand.repeatable:
            desk.waiting.append(errand)
        else:
            errand.end(_lost(errand))


def _lost(errand: _Errand) -> Part:
    if errand.kind in _QUESTIONS:
        return {"error": f"The gateway {errand.name} was lost while it answered: look whether it runs, and ask again."}
    sentence = (
        f"The gateway {errand.name} was lost while it did this: nobody knows whether it was done; look there, and at"
        " the audit, before you ask again."
    )
    return {"error": sentence, "unknown": True}


async def _within(work: Callable[[], Any], seconds: float) -> Any:
    """What the work answers, or None when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await work()
    except TimeoutError:
        return None
