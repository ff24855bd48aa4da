"""The pace of ticks: so many a second on average, and none waits only because the one before it was late."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Ticks every `period` s (generic cell rate algorithm with room for one tick).

    Batches that come ten times a second come now a little early, now a little late. A tick that had to keep its
    distance from the one before would make each wait for up to a period.

    >>> pace = Pace(0.1)
    >>> [round(pace.wait(now), 2) for now in (5.0, 5.06, 5.2, 5.21, 5.25)]
    [0.0, 0.0, 0.0, 0.0, 0.05]
    """

    period: float
    _due: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds from `now` until the next tick, which counts as done then."""
        at = max(now, self._due - self.period)
        self._due = max(at, self._due) + self.period
        return at - now
