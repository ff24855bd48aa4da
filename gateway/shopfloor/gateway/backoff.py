"""How long to wait before the next attempt: exponential, with jitter, so that a plant does not reconnect in step."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Waits of `first` s, doubling up to `cap` s; each is drawn from the upper half of its step.

    >>> waits = Backoff(0.2, 30.0, random.Random(1))
    >>> all(0.1 <= waits.next() <= 30.0 for _ in range(20))
    True
    """

    first: float = 0.2
    cap: float = 30.0
    chance: random.Random = field(default_factory=random.Random)
    _attempt: int = 0

    def next(self, soon: float | None = None) -> float:
        """Seconds to wait now; the following wait is longer. With `soon` it is about that, and counts for nothing."""
        if soon is not None:
            return float(soon * self.chance.uniform(0.5, 1.0))
        step = min(self.cap, self.first * 2**self._attempt)
        self._attempt = min(self._attempt + 1, 30)
        return float(step * self.chance.uniform(0.5, 1.0))

    def reset(self) -> None:
        """It worked: start again with the shortest wait."""
        self._attempt = 0
