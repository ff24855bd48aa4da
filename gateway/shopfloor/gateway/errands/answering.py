"""The errand that answers a device about one of its conditions: acknowledge, confirm, comment, shelve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from shopfloor.gateway.door import Door
from shopfloor.gateway.errands.fetch import Handler
from shopfloor.plant import ShopfloorError, Source, quality
from shopfloor.plant.condition import Act, Answer
from shopfloor.plant.contracts import Answerable

Part = dict[str, Any]


def handlers(door: Door, running: Callable[[str], Source | None]) -> dict[str, Handler]:
    """The handler of `condition`. The server has put the person's name into `by`; nobody else may."""
    passing: set[asyncio.Task[Any]] = set()

    async def condition(body: Part) -> AsyncGenerator[Part, None]:
        name, answer = str(body.get("source", "")), _answer(body)
        source = running(name)
        if not isinstance(source, Answerable):
            raise ShopfloorError(
                f"This gateway has no source {name[:100]!r} that follows conditions: see its plant file."
            )
        task = asyncio.create_task(door.answer(name, source, answer, by=str(body.get("by", ""))))
        passing.add(task)
        task.add_done_callback(passing.discard)
        outcome = await asyncio.shield(task)  # who asked may leave: the answer goes on and its outcome is recorded
        yield {
            "status": outcome.status, "status_name": quality.name(outcome.status), "sentence": outcome.sentence
        }  # fmt: skip

    return {"condition": condition}


def _answer(body: Part) -> Answer:
    try:
        minutes = float(body.get("minutes") or 0.0)
        event = str(body["event"])
        bytes.fromhex(event)
        return Answer(str(body["id"]), event, Act(body["act"]), str(body.get("comment", "")), minutes)
    except (KeyError, ValueError, TypeError) as problem:
        raise ShopfloorError(
            f"An answer about a condition cannot be read ({problem}): send 'id', 'event' (hexadecimal) and 'act'."
        ) from problem
