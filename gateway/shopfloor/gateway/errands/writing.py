"""Errands about writes: ask a device to hold a setpoint, and show what was asked before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict
from typing import Any, Final

from shopfloor.gateway.door import Door, Way
from shopfloor.gateway.errands import Handler
from shopfloor.gateway.registry import connector
from shopfloor.plant import ShopfloorError, Source, quality
from shopfloor.plant.config import PlantConfig, options
from shopfloor.plant.contracts import Actuator, Setpoint

_MOST: Final = 1_000

Part = dict[str, Any]


def ways(plant: PlantConfig, running: Callable[[str], Source | None]) -> list[Way]:
    """The ways to devices: every running source that can write, and what its `writes` allows."""
    found: list[Way] = []
    for source in plant.sources:
        made = running(source.name)
        if isinstance(made, Actuator):
            given = options(source, connector(source.kind).options)
            found.append(Way(source.name, made, getattr(given, "writes", None)))
    return found


def handlers(door: Door) -> dict[str, Handler]:
    """Handlers by the kind of errand. The server has put the person's name into `by`; nobody else may."""
    passing: set[asyncio.Task[Any]] = set()

    async def write(body: Part) -> AsyncGenerator[Part, None]:
        setpoint, by, reason = _setpoint(body), str(body.get("by", "")), str(body.get("reason", ""))
        task = asyncio.create_task(door.apply(setpoint, by=by, reason=reason))
        passing.add(task)
        task.add_done_callback(passing.discard)
        outcome = await asyncio.shield(task)  # who asked may leave: the write goes on and its outcome is recorded
        yield {
            "tag": setpoint.tag,
            "asked": setpoint.value,
            "status": outcome.status,
            "status_name": quality.name(outcome.status),
            "before": outcome.before,
            "after": outcome.read_back,
            "sentence": outcome.sentence,
        }

    async def audit(body: Part) -> AsyncGenerator[Part, None]:
        n = body.get("n", 100)
        n = min(n, _MOST) if isinstance(n, int) and n > 0 else 100
        records = await asyncio.to_thread(door.audit.newest, n)
        fault = await asyncio.to_thread(door.audit.verify)
        yield {"records": [asdict(record) for record in records], "fault": fault}

    return {"write": write, "audit": audit}


def _setpoint(body: Part) -> Setpoint:
    tag, value = body.get("tag"), body.get("value")
    if not isinstance(tag, str) or value is None:
        raise ShopfloorError(
            '\'tag\' or \'value\' is missing: send both, as in {"tag": "…/setpoint.speed", "value": 180}.'
        )
    return Setpoint(tag, tuple(value) if isinstance(value, list) else value)
