"""Large requests in parts that the server takes, several of them under way at once.

Source: OPC 10000-5, 6.3.11 (OperationLimitsType).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from asyncua import ua
from asyncua.client.ua_session import UaSession

_AT_ONCE: Final = 3
_LIMITS: Final = "Server_ServerCapabilities_OperationLimits_"
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

Tell = Callable[[str], None]
"""Told in a sentence how far something is."""


def silent(_sentence: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many nodes or items go into one request: what the server says, and never more than these."""

    read: int = 1_000
    browse: int = 100
    monitor: int = 1_000


async def limits(session: UaSession) -> Limits:
    """The limits of a server; one that does not say gets the usual ones."""
    names = ("MaxNodesPerRead", "MaxNodesPerBrowse", "MaxMonitoredItemsPerCall")
    nodes = [ua.NodeId(getattr(ua.ObjectIds, _LIMITS + name)) for name in names]
    answers = await session.read_attributes(nodes, ua.AttributeIds.Value)
    usual = Limits()
    return Limits(_limit(answers[0], usual.read), _limit(answers[1], usual.browse), _limit(answers[2], usual.monitor))


def _limit(answer: ua.DataValue, usual: int) -> int:
    said: Any = answer.Value.Value if answer.Value is not None else None
    return min(usual, said) if isinstance(said, int) and said > 0 else usual


async def in_parts(
    asked: Sequence[_Asked], size: int, ask: Callable[[Sequence[_Asked]], Awaitable[Sequence[_Answer]]]
) -> list[_Answer]:
    """The answers to all that is asked, in its order, from requests of at most `size`."""
    under_way = asyncio.Semaphore(_AT_ONCE)

    async def part(start: int) -> Sequence[_Answer]:
        async with under_way:
            return await ask(asked[start : start + size])

    answers = await asyncio.gather(*(part(start) for start in range(0, len(asked), size)))
    return [one for answer in answers for one in answer]
