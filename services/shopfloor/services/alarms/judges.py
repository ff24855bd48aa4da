"""Everybody who finds alarms: limits, models, sources and control charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shopfloor.plant import Batch
from shopfloor.services.alarms.alarm import Change, Condition
from shopfloor.services.alarms.charted import ChartWatch, Standing
from shopfloor.services.alarms.limits import LimitWatch, Rule
from shopfloor.services.alarms.predicted import ModelWatch
from shopfloor.services.alarms.sources import Link, SourceWatch
from shopfloor.services.alarms.state import AlarmKind


@dataclass(frozen=True, slots=True)
class Watched:
    """What is asked once a second."""

    links: Callable[[], Iterable[Link]] = tuple
    predictions: Callable[[], Iterable[Mapping[str, Any]]] = tuple
    charts: Callable[[], Standing] = lambda: ({}, ())
    signals: Callable[[], Iterable[Condition]] = tuple
    """What charts can raise; asked when somebody wants to see the design."""


class Judges:
    """`present` tells the keys of a kind that are raised already. Only one thread may judge."""

    def __init__(
        self,
        rules: Iterable[Rule],
        titles: Mapping[str, str],
        watched: Watched,
        present: Callable[[AlarmKind], set[str]],
    ) -> None:
        self._watched = watched
        self.limits = LimitWatch(rules, present(AlarmKind.LIMIT))
        self._models = ModelWatch(titles, present(AlarmKind.MODEL))
        self._sources = SourceWatch(present(AlarmKind.SOURCE))
        self._signals = ChartWatch(present(AlarmKind.QUALITY))

    def judge(self, batch: Batch) -> list[Change]:
        """What the rows of a batch change, in the order of time: of a group, the first must come first."""
        return sorted(self.limits.judge(batch), key=lambda change: change.time)

    def tick(self, now: int) -> Iterator[Change]:
        """What has changed since a second ago."""
        yield from sorted(self.limits.tick(now), key=lambda change: change.time)
        yield from self._sources.judge(self._watched.links(), now)
        yield from self._models.judge(self._watched.predictions(), now)
        yield from self._signals.judge(self._watched.charts(), now)
