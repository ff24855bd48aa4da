"""One open page or script: what it sees, and how far it has read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shopfloor.services.live.ring import Ring
from shopfloor.services.live.split import Split, View
from shopfloor.services.live.states import Scope, StateTopic
from shopfloor.services.live.words import Cursor, frame

BEAT_S: Final = 1.0


@dataclass(eq=False)
class Client:
    """Its view and topics, its cursors, what is to be sent first, and the bell that says there is more."""

    view: View | None = None
    seq: int = 0
    states: dict[str, int] = field(default_factory=dict)
    scope: Scope = None
    period: float = 0.0
    due: float = 0.0
    heard: float = 0.0
    first: deque[bytes] = field(default_factory=deque)
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def listens(self) -> bool:
        """Whether it wants anything: a hidden tab does not."""
        return self.view is not None or bool(self.states)

    def ring_at(self, now: float) -> None:
        """Wake it for values, at most once in its period."""
        if now >= self.due:
            self.due = now + self.period
            self.bell.set()

    def next(self, ring: Ring, split: Split, topics: Mapping[str, StateTopic], time_ms: float) -> bytes | None:
        """The next frame to send, or None when the client has all."""
        if not self.first:
            self._take_states(topics)
            self.take_values(ring, split, time_ms)
        return self.first.popleft() if self.first else None

    def cursor(self, boot: str) -> Cursor:
        """Where it has got to, once `first` is sent."""
        return Cursor(boot, self.seq, dict(self.states))

    def _take_states(self, topics: Mapping[str, StateTopic]) -> None:
        for name, version in self.states.items():
            topic = topics[name]
            if topic.version != version and topic.version:
                self.first.extend(data for _, data in topic.after(version, self.scope))
                self.states[name] = topic.version

    def take_values(self, ring: Ring, split: Split, time_ms: float) -> None:
        """Put what follows its cursor into `first`, or a gap when that is too much."""
        if self.view is None or self.seq == ring.head:
            return
        sent = ring.after(self.seq, self.view, split)
        if sent is None:
            self.first.append(frame("gap", time=time_ms, seq=ring.head))
        else:
            self.first.extend(data for _, data in sent)
        self.seq = ring.head
