"""Alarms: the part of the server that watches values, predictions and sources, and remembers what it found."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import Batch, Event, Kind, ShopfloorError, StoreError
from shopfloor.services.alarms.alarm import Alarm, Change
from shopfloor.services.alarms.book import Book
from shopfloor.services.alarms.charted import ChartWatch, Standing
from shopfloor.services.alarms.journal import Occurrence, Wanted
from shopfloor.services.alarms.limits import LimitWatch, Rule
from shopfloor.services.alarms.predicted import ModelWatch
from shopfloor.services.alarms.sources import Link, SourceWatch
from shopfloor.services.alarms.state import AlarmKind, State
from shopfloor.services.alarms.store import AlarmStore

TICK_S: Final = 1.0
_NO_VALUES: Final = Batch.of([], Kind.FLOAT)
_LOG: Final = logging.getLogger(__name__)


class AlarmUnknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """No alarm has this number."""


class Alarms:
    """A context; inside it a thread judges. `links`, `predictions` and `charts` are asked once a second."""

    def __init__(
        self,
        folder: Path,
        rules: Iterable[Rule],
        titles: Mapping[str, str],
        clock: Callable[[], int],
        *,
        links: Callable[[], Iterable[Link]] = tuple,
        predictions: Callable[[], Iterable[Mapping[str, Any]]] = tuple,
        charts: Callable[[], Standing] = lambda: ({}, ()),
    ) -> None:
        self._store = AlarmStore(folder)
        self._rules, self._titles, self._clock = tuple(rules), titles, clock
        self._links, self._predictions, self._charts = links, predictions, charts
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._unwritten: list[Change] = []
        self._said = False
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def __enter__(self) -> Self:
        self._store.__enter__()
        self._book = Book(self._store)
        self._limits = LimitWatch(self._rules, self._book.present_keys(AlarmKind.LIMIT))
        self._models = ModelWatch(self._titles, self._book.present_keys(AlarmKind.MODEL))
        self._sources = SourceWatch(self._book.present_keys(AlarmKind.SOURCE))
        self._signals = ChartWatch(self._book.present_keys(AlarmKind.QUALITY))
        self._return_forgotten()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join(timeout=5)
        self._store.__exit__()

    @property
    def version(self) -> int:
        """Grows with every change of any alarm."""
        return self._book.version

    @property
    def alive(self) -> bool:
        """Whether the thread that judges still runs."""
        return self._thread.is_alive()

    def watch(self, batch: Batch) -> None:
        """Take the rows of a stored batch that a limit looks at; cheap, from any thread."""
        rows = self._limits.concerns(batch, self._clock())
        if rows is not None:
            self._queue.put(rows)

    def open(self, asset: str | None = None) -> list[Alarm]:
        """Open alarms, most urgent first."""
        return [a for a in self._book.open_alarms() if asset is None or a.condition.asset == asset]

    def all(self, asset: str | None = None, limit: int = 1000) -> list[Alarm]:
        """The newest alarms, open or closed, newest first."""
        return self._store.alarms(asset, limit)

    def began(self, start: int, end: int) -> list[tuple[str, int]]:
        """Assets and moments of the alarms that began in [start, end) UTC ns, without those that a model raised."""
        return self._store.began(start, end)

    def counts(self) -> dict[str, Counter[int]]:
        """Open alarms of each asset by priority; alarms that have returned do not count."""
        counts: dict[str, Counter[int]] = {}
        for alarm in self.open():
            if alarm.condition.asset and alarm.state is not State.RETURNED:
                counts.setdefault(alarm.condition.asset, Counter())[alarm.condition.priority] += 1
        return counts

    def acknowledge(self, number: int, by: str, note: str = "") -> Alarm:
        """Note that somebody has seen an alarm."""
        alarm = self._store.alarm(number)
        if alarm is None:
            raise AlarmUnknown(f"There is no alarm {number}: ask /api/v1/alarms?state=all for those that are.")
        return self._book.acknowledge(alarm, by, self._clock(), note)

    def record(self, event: Event) -> None:
        """Remember an event of another part of the server."""
        self._store.record(event)

    def events(self, start: int, end: int, asset: str | None = None, limit: int = 200) -> list[Event]:
        """The newest events of a time range (UTC ns), newest first."""
        return self._store.events(start, end, asset, limit)

    def journal(self, start: int, end: int, wanted: Wanted, after: int, limit: int) -> list[Occurrence]:
        """Every time that a wanted alarm was there within a time range (UTC ns), as they were recorded."""
        found = (one for one in self._store.occurrences(start, end, after) if wanted.fits(one))
        return list(islice(found, limit))

    def _run(self) -> None:
        due = self._clock()
        while True:
            try:
                batch = self._queue.get(timeout=TICK_S)
            except queue.Empty:
                batch = _NO_VALUES
            if batch is None:
                return
            now = self._clock()
            self._apply(self._limits.judge(batch))
            if now >= due or due - now > 2 * TICK_S * 1e9:
                due = now + int(TICK_S * 1e9)
                self._apply(self._limits.tick(now))
                self._apply(self._sources.judge(self._links(), now))
                self._apply(self._models.judge(self._predictions(), now))
                self._apply(self._signals.judge(self._charts(), now))

    def _apply(self, changes: Iterable[Change]) -> None:
        """Write what changed, in order; what a full disk refuses is written when there is room again."""
        waiting, self._unwritten = [*self._unwritten, *changes], []
        for done, change in enumerate(waiting):
            try:
                self._book.apply(change)
            except StoreError as problem:
                if not self._said:
                    _LOG.error("An alarm could not be written and waits: %s", problem)
                self._said, self._unwritten = True, waiting[done:]
                return
        self._said = False

    def _return_forgotten(self) -> None:
        """A limit that left the plant file can never return by itself."""
        gone = self._book.present_keys(AlarmKind.LIMIT) - {rule.key for rule in self._rules}
        for key in gone:
            self._book.apply(Change(key, self._clock()))
