"""The south side of an outage: the link from a client to its OPC UA server."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import urlsplit

from shopfloor.gateway.cut import Cut
from shopfloor.services.bench.clients import CLIENTS, Place
from shopfloor.services.bench.grid import Grid
from shopfloor.services.bench.loads import Load
from shopfloor.services.bench.outcome import Side, Watched, judged
from shopfloor.services.bench.scenario import Scenario

_PATIENCE_S: Final = 90.0


async def client(name: str, scenario: Scenario, load: Load, place: Place, parts: ExitStack) -> Watched:
    """A client of the ingest bench, at the end of a link that can be cut."""
    target = urlsplit(load.told["url"])
    link = await Cut("127.0.0.1", target.port or 0).__aenter__()
    told = {**load.told, "url": f"opc.tcp://127.0.0.1:{link.port}{target.path}", "keep": True}
    running = CLIENTS[name](scenario, told, place)
    subject = await asyncio.to_thread(parts.enter_context, running)
    subject.voice.tell("start")

    async def outcome(begun: float, back: float) -> dict[str, Any]:
        ended = time.time()
        subject.voice.tell("stop")
        result = await asyncio.to_thread(subject.voice.hear, "result", _PATIENCE_S)
        grid = Grid(load.told["start"], load.told["period"])
        ticks = {int(key): values for key, values in result["kept"].items()}
        later = [at / 1e9 for at in result["times"] if at / 1e9 > back]
        resume = round(min(later) - back, 2) if later else None
        found = judged(ticks, scenario, grid, begun, ended)
        return {"client": name, "version": subject.version, **found, "resume_s": resume}

    return Watched(link, outcome)


SIDES: Final[dict[str, Side]] = {"ours": client, "node-opcua": client, "asyncua iterator": client}
