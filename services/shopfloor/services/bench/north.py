"""The north side of an outage: our gateway and its server, thingsboard-gateway and its broker."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import Any, Final

import httpx
from shopfloor.gateway.cut import Cut
from shopfloor.services.bench import thingsboard
from shopfloor.services.bench.brokers import mosquitto
from shopfloor.services.bench.clients import Place
from shopfloor.services.bench.grid import Grid
from shopfloor.services.bench.loads import Load
from shopfloor.services.bench.machine import version, version_in
from shopfloor.services.bench.outcome import Side, Watched, judged
from shopfloor.services.bench.rig import Rig, standing
from shopfloor.services.bench.scenario import Scenario

_PATIENCE_S: Final = 90.0


async def ours(name: str, scenario: Scenario, load: Load, place: Place, parts: ExitStack) -> Watched:
    """The real gateway and the real server; what counts is what can be read back from the store."""
    standing_rig = standing(place.folder / "rig", load.told, scenario.items, scenario.publish_ms, scenario.queue)
    rig = await asyncio.to_thread(parts.enter_context, standing_rig)
    link = await Cut("127.0.0.1", rig.port).__aenter__()
    await asyncio.to_thread(parts.enter_context, rig.gateway(f"http://127.0.0.1:{link.port}"))
    await _until_stored(rig, 0)
    arrivals: list[float] = []
    seen = asyncio.create_task(_arrivals(rig, arrivals))

    async def outcome(begun: float, back: float) -> dict[str, Any]:
        ended = time.time()
        seen.cancel()
        await asyncio.to_thread(rig.drained, _PATIENCE_S)
        tags = [f"t{index}" for index in range(scenario.items)]
        ticks = {tag: values.tolist() for tag, values in await asyncio.to_thread(lambda: list(rig.values(tags)))}
        found = judged(ticks, scenario, _grid(load), begun, ended)
        later = [at for at in arrivals if at > back]
        return {"client": name, "version": version("shopfloor"), **found, "resume_s": _first(later, back)}

    return Watched(link, outcome)


async def _arrivals(rig: Rig, into: list[float]) -> None:
    """Note the times at which the store has grown."""
    before = 0
    while True:
        try:
            now = await asyncio.to_thread(rig.stored)
        except httpx.HTTPError:
            now = before
        if now > before:
            into.append(time.time())
        before = now
        await asyncio.sleep(0.1)


async def _until_stored(rig: Rig, before: int) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while await asyncio.to_thread(rig.stored) <= before:  # noqa: ASYNC110 (another process stores)
            await asyncio.sleep(0.1)


async def thingsboard_gateway(name: str, scenario: Scenario, load: Load, place: Place, parts: ExitStack) -> Watched:
    """thingsboard-gateway with its SQLite buffer and QoS 1; its values are counted at the broker."""
    python = await asyncio.to_thread(place.cache.python, "thingsboard-gateway", thingsboard.REQUIREMENTS)
    folder = place.folder / "thingsboard"
    broker = await asyncio.to_thread(parts.enter_context, mosquitto(folder / "broker"))
    link = await Cut("127.0.0.1", broker.port).__aenter__()
    thingsboard.configure(
        folder, broker=link.port, url=load.told["url"], node=load.told["node"], items=scenario.items, sqlite=True
    )
    enter = parts.enter_context
    platform = thingsboard.platform(folder / "platform", broker.port, scenario.items, keep=True)
    voice = await asyncio.to_thread(enter, platform)
    await asyncio.to_thread(enter, thingsboard.running(python, folder))
    await asyncio.to_thread(voice.hear, "first", _PATIENCE_S)

    async def outcome(begun: float, back: float) -> dict[str, Any]:
        ended = time.time()
        voice.tell("stop")
        kept = (await asyncio.to_thread(voice.hear, "result", _PATIENCE_S))["kept"]
        ticks = {int(key[1:]): [value for value, _ in pairs] for key, pairs in kept.items()}
        found = judged(ticks, scenario, _grid(load), begun, ended)
        later = [at for pairs in kept.values() for _, at in pairs if at > back]
        number = await asyncio.to_thread(version_in, python, "thingsboard-gateway")
        return {"client": name, "version": number, **found, "resume_s": _first(later, back)}

    return Watched(link, outcome)


def _grid(load: Load) -> Grid:
    return Grid(load.told["start"], load.told["period"])


def _first(times: list[float], back: float) -> float | None:
    return round(min(times) - back, 2) if times else None


SIDES: Final[dict[str, Side]] = {"ours": ours, "thingsboard-gateway": thingsboard_gateway}
