"""Quality alarms: a control chart whose newest point is a signal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from shopfloor.services.alarms.alarm import Change, Condition
from shopfloor.services.alarms.hold import Hold

Standing = tuple[Mapping[str, Condition], Collection[str]]
"""The conditions that hold now by their keys, and the keys of which nothing is known."""


class ChartWatch:
    """Raises with the point that breaks a rule, and returns with the next that breaks none."""

    def __init__(self, raised: Iterable[str] = ()) -> None:
        self._hold = Hold(0.0, 0.0, raised)

    def judge(self, standing: Standing, now: int) -> Iterator[Change]:
        """What changed, given what the charts say."""
        present, unknown = standing
        return self._hold.see(present, now, unknown)
