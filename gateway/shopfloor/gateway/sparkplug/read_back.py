"""Waiting for a node to report what it was asked to hold."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Final

from shopfloor.plant import Outcome, SourceLost, quality
from shopfloor.plant.contracts import Scalar

_WAIT_S: Final = 5.0
_FLOAT32: Final = 1e-6


@dataclass(slots=True)
class ReadBack:
    """The value that is wanted, and what the node has reported since."""

    wanted: Scalar
    last: Scalar | None = None
    lost: str = ""
    _there: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, value: Scalar) -> None:
        """The node reports a value: one from before the command is no answer, so others are waited for."""
        if not self._there.is_set():
            self.last = value
        if _alike(value, self.wanted):
            self._there.set()

    def lose(self, sentence: str) -> None:
        """The link is gone: no answer will come."""
        self.lost = sentence
        self._there.set()

    async def outcome(self, tag: str) -> Outcome:
        """What came of the command to write `tag`; `SourceLost` when the link went first."""
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._there.wait()
        except TimeoutError:
            said = "has reported nothing" if self.last is None else f"reports {self.last!r}"
            sentence = f"{tag} was sent to its node, which {said} within {_WAIT_S:g} s: see whether it takes commands."
            return Outcome(quality.BAD_TIMEOUT, self.last, sentence)
        if self.lost:
            raise SourceLost(self.lost)
        return Outcome(quality.GOOD, self.last)


def _alike(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(one, other, rel_tol=_FLOAT32)
