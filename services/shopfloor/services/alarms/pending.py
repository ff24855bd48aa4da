"""What people have asked devices to note and devices have taken, until the devices' own events show it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shopfloor.plant.condition import Act

_PATIENCE_NS: Final = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked what of a device, when (UTC ns), with which words."""

    act: Act
    by: str
    note: str
    time: int


class Pending:
    """At most one for a condition; forgotten after a minute, as an event that late says something else.

    >>> pending = Pending(lambda: 5)
    >>> pending.ask("k", Asked(Act.ACKNOWLEDGE, "Anna", "", 5))
    >>> pending.of("k").by, pending.done("k", Act.SHELVE), pending.done("k", Act.ACKNOWLEDGE).by, pending.of("k")
    ('Anna', None, 'Anna', None)
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._asked: dict[str, Asked] = {}

    def ask(self, key: str, asked: Asked) -> None:
        """Remember, by the key of the condition."""
        with self._lock:
            self._asked[key] = asked

    def of(self, key: str) -> Asked | None:
        """What is under way for a condition."""
        with self._lock:
            asked = self._asked.get(key)
            if asked is not None and self._clock() - asked.time > _PATIENCE_NS:
                del self._asked[key]
                return None
            return asked

    def done(self, key: str, act: Act) -> Asked | None:
        """The device shows it: who had asked, or None when nobody here had."""
        asked = self.of(key)
        if asked is None or asked.act is not act:
            return None
        with self._lock:
            return self._asked.pop(key, None)

    def drop(self, key: str) -> None:
        """The device has refused."""
        with self._lock:
            self._asked.pop(key, None)
