"""Alarms: the part of the server that watches values, predictions and sources, and remembers what it found."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import Batch, Event, Kind, StoreError
from shopfloor.plant.condition import is_conditions
from shopfloor.plant.config import PlantConfig
from shopfloor.services.alarms.alarm import Alarm, AlarmRefused, AlarmUnknown, Change
from shopfloor.services.alarms.aside import Aside, AsideKind
from shopfloor.services.alarms.book import Book, Design
from shopfloor.services.alarms.design import FirstOut, Suppression
from shopfloor.services.alarms.designed import Designed
from shopfloor.services.alarms.following import Following
from shopfloor.services.alarms.journal import Occurrence, Wanted
from shopfloor.services.alarms.judges import Judges, Watched
from shopfloor.services.alarms.limits import Rule
from shopfloor.services.alarms.load import DAY, HOUR, Load, arrival
from shopfloor.services.alarms.pending import Pending
from shopfloor.services.alarms.state import PRESENT, AlarmKind
from shopfloor.services.alarms.store import AlarmStore
from shopfloor.services.alarms.transitions import NEWEST, Asked, Transition, arrivals, transitions

TICK_S: Final = 1.0
_NO_VALUES: Final = Batch.of([], Kind.FLOAT)
_LOG: Final = logging.getLogger(__name__)


class Alarms:
    """A context; inside it a thread judges. What is `watched` is asked once a second."""

    def __init__(
        self,
        folder: Path,
        config: PlantConfig,
        rules: Iterable[Rule],
        titles: Mapping[str, str],
        clock: Callable[[], int],
        watched: Watched | None = None,
    ) -> None:
        self._store = AlarmStore(folder)
        self._rules, self._titles, self._clock = tuple(rules), titles, clock
        self._declared, self._watched = config.alarms, watched or Watched()
        self.suppression, self._groups = Suppression(config), FirstOut(config)
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._unwritten: list[Change] = []
        self._unfollowed: list[Batch] = []
        self.pending = Pending(clock)
        self._said = False
        self._swept = 0
        self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)

    def __enter__(self) -> Self:
        self._store.__enter__()
        self._load = Load(self._declared.operators, arrivals(self._store.database, self._clock() - DAY))
        self._book = Book(self._store, Design(self.suppression.reason, self._groups), self._heard)
        self._following = Following(self._book, self._store, self._titles, self.pending)
        self._judges = Judges(self._rules, self._titles, self._watched, self._book.present_keys)
        self.designed = Designed(self._rules, self._titles, self._watched, self._book, self._store)
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
        """Take the rows of a stored batch that a limit or a suppression looks at; cheap, from any thread."""
        if batch.names and is_conditions(batch.names[0]):
            self._queue.put(batch)
            return
        self.suppression.watch(batch)
        rows = self._judges.limits.concerns(batch, self._clock())
        if rows is not None:
            self._queue.put(rows)

    def followed(self) -> dict[str, int]:
        """Up to when (UTC ns) the statements of each device have been followed, by their tags."""
        return self._store.followed()

    def open(self, asset: str | None = None) -> list[Alarm]:
        """Open alarms that are not set aside, most urgent first."""
        return [a for a in self._book.open_alarms() if asset is None or a.condition.asset == asset]

    def aside(self) -> list[tuple[Aside, Alarm]]:
        """What is shelved, suppressed or out of service, the newest first, with the alarm below it."""
        return self._book.aside()

    def aside_of(self, alarm: Alarm) -> Aside | None:
        """What hides an alarm."""
        return self._book.aside_of(alarm.condition.key)

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
            if alarm.condition.asset and alarm.state in PRESENT:
                counts.setdefault(alarm.condition.asset, Counter())[alarm.condition.priority] += 1
        return counts

    def load(self) -> dict[str, Any]:
        """The alarm load beside the guide values."""
        return self._load.figures(self._clock(), self.open())

    def flood(self) -> int | None:
        """Since when (UTC ns) more alarms come than an operator can follow, or None."""
        return self._load.flood(self._clock())

    def find(self, number: int) -> Alarm | None:
        """The alarm of a number."""
        return self._store.alarm(number)

    def get(self, number: int) -> Alarm:
        """The alarm of a number; `AlarmUnknown` where there is none."""
        return self._alarm(number)

    def acknowledge(self, number: int, by: str, note: str = "") -> Alarm:
        """Note that somebody has seen an alarm."""
        return self._book.acknowledge(self._alarm(number), by, self._clock(), note)

    def reset(self, number: int, by: str, note: str = "") -> Alarm:
        """Let a latched alarm go."""
        return self._book.reset(self._alarm(number), by, self._clock(), note)

    def shelve(self, number: int, by: str, until: int, reason: str) -> Alarm:
        """Hide the alarms of a condition until a time (UTC ns); longer than the plant file allows, it is refused."""
        alarm, now = self._alarm(number), self._clock()
        self.check_shelving(until)
        return self._book.set_aside(
            Aside(alarm.condition.key, AsideKind.SHELVED, by, now, until, reason, alarm.id), alarm
        )

    def check_shelving(self, until: int) -> None:
        """`AlarmRefused` when the plant file does not let an alarm be shelved until then (UTC ns)."""
        now, most = self._clock(), self._declared.shelve_at_most
        if not 0 < until - now <= int(most * 1e9) + HOUR // 3600:
            raise AlarmRefused(
                f"An alarm of this plant can be shelved for {most / 60:g} min at most, not for"
                f" {(until - now) / 6e10:.0f} min: shelve it for less, or take it out of service."
            )

    def take_out_of_service(self, number: int, by: str, reason: str) -> Alarm:
        """Hide the alarms of a condition until somebody puts it back."""
        alarm = self._alarm(number)
        aside = Aside(alarm.condition.key, AsideKind.OUT_OF_SERVICE, by, self._clock(), None, reason, alarm.id)
        return self._book.set_aside(aside, alarm)

    def put_back(self, number: int, kind: AsideKind, by: str, reason: str = "") -> Alarm:
        """Show the alarms of a condition again: no longer shelved, or in service again."""
        return self._book.put_back(self._alarm(number), kind, self._clock(), by, reason)

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

    def transitions(self, start: int, end: int, asked: Asked, before: int = NEWEST) -> Iterator[Transition]:
        """Every step of wanted alarms within a time range (UTC ns), the newest first."""
        return transitions(self._store.database, start, end, asked, before)

    def _alarm(self, number: int) -> Alarm:
        alarm = self._store.alarm(number)
        if alarm is None:
            raise AlarmUnknown(f"There is no alarm {number}: ask /api/v1/alarms?state=all for those that are.")
        return alarm

    def _heard(self, alarm: Alarm, _: int) -> None:
        """Counts when it reached people: a value may have been hours on its way."""
        self._load.came(arrival(alarm, self._clock()))

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
            if batch.kind is Kind.TEXT:
                self._unfollowed.append(batch)
            else:
                self._apply(self._judges.judge(batch))
            self._follow()
            if now >= due or due - now > 2 * TICK_S * 1e9:
                due = now + int(TICK_S * 1e9)
                self._apply(self._judges.tick(now))
                self._pass_time(now)

    def _apply(self, changes: Iterable[Change]) -> None:
        """Write what changed, in order; what a full disk refuses is written when there is room again."""
        waiting, self._unwritten = [*self._unwritten, *changes], []
        for done, change in enumerate(waiting):
            try:
                self._book.apply(change)
            except StoreError as problem:
                self._say(problem)
                self._unwritten = waiting[done:]
                return
        self._said = False

    def _follow(self) -> None:
        """Follow what devices said, in order; what a full disk refuses waits for the next try."""
        while self._unfollowed:
            try:
                self._following.take(self._unfollowed[0])
            except StoreError as problem:
                self._say(problem)
                return
            del self._unfollowed[0]

    def _pass_time(self, now: int) -> None:
        """Shelving ends, suppression begins and ends, old rows go; what the disk refuses is tried a second later."""
        try:
            self._book.tick(now)
            keep = self._declared.retention
            if keep is not None and now - self._swept > HOUR:
                self._store.forget(now - int(keep * 1e9))
                self._swept = now
        except StoreError as problem:
            self._say(problem)

    def _say(self, problem: StoreError) -> None:
        if not self._said:
            _LOG.error("An alarm could not be written and waits: %s", problem)
        self._said = True

    def _return_forgotten(self) -> None:
        """A limit that left the plant file can never return by itself."""
        gone = self._book.present_keys(AlarmKind.LIMIT) - {rule.key for rule in self._rules}
        for key in gone:
            self._book.apply(Change(key, self._clock()))
