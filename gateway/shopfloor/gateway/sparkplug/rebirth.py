"""Rebirth requests, with their limits: a node that is asked too often does nothing but tell its births."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_LONGEST_S: Final = 600.0
_AT_ONCE: Final = 20
_WINDOW_S: Final = 1.0


@dataclass(slots=True)
class _Limit:
    wait: float
    next: float = 0.0


@dataclass(slots=True)
class Rebirths:
    """Which nodes shall be asked for their births, and when they may be (seconds of one monotonic clock).

    At most once in `every` seconds for a node, twice as long after each request that it did not answer, up to ten
    minutes; and 20 nodes in a second.

    >>> rebirths = Rebirths(every=10.0)
    >>> rebirths.want("g/n"); list(rebirths.due(0.0)), list(rebirths.due(1.0))
    (['g/n'], [])
    >>> rebirths.want("g/n"); list(rebirths.due(9.0)), list(rebirths.due(10.0))
    ([], ['g/n'])
    >>> rebirths.want("g/n"); list(rebirths.due(29.0)), list(rebirths.due(30.0))
    ([], ['g/n'])
    """

    every: float
    wanted: dict[str, None] = field(default_factory=dict)
    _limits: dict[str, _Limit] = field(default_factory=dict)
    _recent: list[float] = field(default_factory=list)

    def want(self, address: str) -> None:
        """Ask this node as soon as the limits allow it."""
        self.wanted[address] = None

    def answered(self, address: str) -> None:
        """A birth came: there is nothing to ask, and the node does answer."""
        self.wanted.pop(address, None)
        if address in self._limits:
            self._limits[address].wait = self.every

    def due(self, now: float) -> Iterator[str]:
        """The nodes to ask now; each is taken to have been asked."""
        self._recent = [moment for moment in self._recent if now - moment < _WINDOW_S]
        for address in list(self.wanted):
            limit = self._limits.setdefault(address, _Limit(self.every))
            if limit.next <= now and len(self._recent) < _AT_ONCE:
                del self.wanted[address]
                limit.next = now + limit.wait
                limit.wait = min(2 * limit.wait, _LONGEST_S)
                self._recent.append(now)
                yield address
