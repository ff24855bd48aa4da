"""Reports at work: made when somebody asks or when a shift has ended, kept, and handed to the mail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import QuestionError, ShopfloorError, StoreError
from shopfloor.plant.config import ReportSection
from shopfloor.services.notify.message import Message
from shopfloor.services.reports.document import Report, Unit
from shopfloor.services.reports.kept import Kept, KeptReports
from shopfloor.services.reports.letter import letter
from shopfloor.services.reports.maker import Maker
from shopfloor.services.reports.names import file_name
from shopfloor.services.reports.period import Period, period
from shopfloor.services.reports.schedule import due
from shopfloor.services.reports.scope import scope
from shopfloor.services.reports.task import Done, Task, Wish, plain
from shopfloor.services.reports.told import Asked, Services, told

TICK_S: Final = 5.0
BY_SCHEDULE: Final = "schedule"
_HOUR: Final = 3_600_000_000_000
_BUSY_S: Final = 60.0
_LOG: Final = logging.getLogger(__name__)

Post = Callable[[str, Sequence[str], Message], None]
"""Hands a message to the mail once: a key, the addresses, and what is sent."""


class Reports:
    """A context on the data folder of a server; inside it a thread makes what is due."""

    def __init__(self, data: Path, services: Services, post: Post) -> None:
        self._data, self._services, self._post = data, services, post
        self._section = services.config.reports
        self._plant = plain(services.config)
        self.kept = KeptReports(data / "reports")
        self._maker = Maker()
        self._stopped = threading.Event()
        self._swept = 0
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def __enter__(self) -> Self:
        self.kept.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._maker.close()
        self._thread.join(timeout=5)
        self.kept.__exit__()

    @property
    def timezone(self) -> str:
        """The time zone of the plant, as in Europe/Berlin."""
        return self._services.production.planned.calendar.timezone

    def period(self, unit: Unit, at: int | None) -> Period:
        """The shift or day of a moment (UTC ns), by default now; time that has not begun raises `QuestionError`."""
        now = self._services.clock()
        found = period(self._services.production.planned.calendar, unit, now if at is None else at)
        if found.start >= now:
            raise QuestionError("That time has not begun: ask for one that has.")
        return found

    def around(self, of: Period) -> tuple[int, int | None, bool]:
        """When the period before began, when the one after did (None: not yet), and whether this one is over."""
        before = period(self._services.production.planned.calendar, of.unit, of.start - 1).start
        over = of.end <= self._services.clock()
        return before, of.end if over else None, over

    def made(self, asked: Asked, wish: Wish | None) -> Done:
        """A report, made now and not kept; without a wish its document alone."""
        return self._maker.made(self._task(asked, wish), _BUSY_S)

    def make(self, asked: Asked, wish: Wish) -> Kept:
        """A report on record, made now and kept."""
        found = self.period(asked.unit, asked.at)
        place = scope(self._services, asked.place, found.start, found.end).place
        data = self.made(asked, wish).file
        kept = self.kept.add(_record(found, place, wish, "", asked.by, self._services.clock()))
        return self.kept.put(kept, data, self._services.clock())

    def turn(self) -> None:
        """Make and post what is due now; one that fails waits and says why."""
        now = self._services.clock()
        for report in self._section.schedule:
            self._plan(report, now)
        for kept in self.kept.waiting(now):
            if self._stopped.is_set():
                return
            if kept.schedule:
                self._try(kept)
        if now - self._swept > _HOUR:
            self.kept.forget(now - round(self._section.keep * 1e9), self._section.most)
            self._swept = now

    def schedule(self) -> list[dict[str, Any]]:
        """The reports of the plant file."""
        return [report.model_dump(mode="json") for report in self._section.schedule]

    def _plan(self, report: ReportSection, now: int) -> None:
        """Put what is due on record; that record is what makes it once."""
        since = self.kept.first_seen(report.name, now)
        for one in due(report, self._services.production.planned.calendar, since, now):
            if not self.kept.known(report.name, one.period.start):
                wish = Wish(report.language, report.format)
                self.kept.add(_record(one.period, report.line, wish, report.name, BY_SCHEDULE, now))

    def _try(self, kept: Kept) -> None:
        try:
            done = self._made(kept, Wish(kept.language, kept.format))
            self._hand_over(self.kept.put(kept, done.file, self._services.clock()), done.document)
        except (ShopfloorError, OSError) as problem:
            self.kept.failed(kept, str(problem), self._services.clock())
            _LOG.error("The report %s of %s could not be made and waits: %s", kept.schedule, kept.day, problem)

    def _hand_over(self, kept: Kept, document: Report) -> None:
        report = next((one for one in self._section.schedule if one.name == kept.schedule), None)
        if report and report.mail:
            link = self._services.config.alarms.notify.link or ""
            self._post(key_of(kept), report.mail, letter(kept, document, self.kept.path(kept), link))
        self.kept.posted(kept.id)

    def _recover(self) -> None:
        """What was made and not handed over, because the server ended between the two."""
        for kept in self.kept.unposted():
            self._hand_over(kept, self._made(kept, None).document)

    def _made(self, kept: Kept, wish: Wish | None) -> Done:
        return self._maker.made(self._task(Asked(kept.unit, kept.start, kept.place, kept.by), wish))

    def _task(self, asked: Asked, wish: Wish | None) -> Task:
        return Task(str(self._data), self._plant, *told(self._services, asked), wish)

    def _run(self) -> None:
        recovered = not self._section.schedule
        while not self._stopped.wait(TICK_S):
            try:
                if not recovered:
                    self._recover()
                    recovered = True
                self.turn()
            except StoreError as problem:
                if not self._stopped.is_set() and str(problem) != self._said:
                    _LOG.error("Reports wait: %s", problem)
                self._said = str(problem)


def key_of(kept: Kept) -> str:
    """Names a report among all letters."""
    return f"report/{kept.id}"


def _record(found: Period, place: str, wish: Wish, schedule: str, by: str, now: int) -> Kept:
    name = file_name(place, found, wish.format)
    return Kept(
        0, schedule, found.unit, found.start, found.end, found.shift, found.day, place, wish.language, wish.format, by,
        now, None, name, 0, 0, now, "", int(not schedule),
    )  # fmt: skip
