"""The book follows devices: a report becomes the steps of the diagram that lead to what the device says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from shopfloor.plant import Batch, BatchError, EventKind
from shopfloor.plant.condition import Act, Told, is_conditions
from shopfloor.services.alarms.alarm import Alarm, Change
from shopfloor.services.alarms.aside import Aside, AsideKind
from shopfloor.services.alarms.book import Book
from shopfloor.services.alarms.device import AT_DEVICE, Refreshes, Report, Retained, report
from shopfloor.services.alarms.pending import Asked, Pending
from shopfloor.services.alarms.state import PRESENT, UNSEEN, AlarmKind, Move, State
from shopfloor.services.alarms.store import AlarmStore

_ENDS: Final = {
    State.ACTIVE: EventKind.ALARM_RETURNED,
    State.ACKNOWLEDGED: EventKind.ALARM_RETURNED,
    State.RETURNED: EventKind.ALARM_ACKNOWLEDGED,
    State.LATCHED: EventKind.ALARM_ACKNOWLEDGED,
    State.LATCHED_ACKNOWLEDGED: EventKind.ALARM_RESET,
}


class Following:
    """Only one thread may call `take`. `titles` are those of assets, `pending` what people asked devices to note."""

    def __init__(self, book: Book, store: AlarmStore, titles: Mapping[str, str], pending: Pending) -> None:
        self._book, self._store, self._titles, self._pending = book, store, titles, pending
        self._refreshes = Refreshes()

    def take(self, batch: Batch) -> None:
        """All statements of a batch in their order, with how far they have been followed: all of it, or nothing."""
        with self._book.changing():
            for sample in batch:
                if is_conditions(sample.tag) and isinstance(sample.value, str):
                    self._statement(sample.tag, sample.value, sample.time)

    def _statement(self, tag: str, text: str, arrived: int) -> None:
        try:
            told = Told.from_text(text)
        except BatchError:
            return
        retained = self._refreshes.take(told, arrived)
        if retained is not None:
            self._forget(retained)
        elif told.refresh is None:
            self.follow(report(told, arrived, self._titles))
        self._store.mark(tag, (self._refreshes.since(told.source) or arrived + 1) - 1)

    def follow(self, said: Report) -> None:
        """Become what a device says of a condition."""
        key = said.condition.key
        known = self._book.known(key)
        if known is None and said.gone:
            return
        known = self._begun(known, said)
        known = self._seen(known, said)
        if not said.present and known.state in PRESENT and not said.gone:
            move = Move.LATCH if said.stays else Move.RETURN
            known = self._book.step(known, move, said.time, EventKind.ALARM_RETURNED)
        if said.gone:
            self._end(known, said.time, said.by)
        self._set_aside(said, known)

    def _begun(self, known: Alarm | None, said: Report) -> Alarm:
        """Raised where it was not there; what came and went while nobody listened is raised too, to be seen."""
        if known is None or (said.present and known.state not in PRESENT):
            for aside in self._asides(said, 0):
                self._book.hide(aside)
            self._book.apply(Change(said.condition.key, said.time, said.condition))
        else:
            self._book.reword(known, replace(said.condition, group=known.condition.group))
        known = self._book.known(said.condition.key)
        assert known is not None  # noqa: S101 (it was raised or was there)
        return known

    def _seen(self, known: Alarm, said: Report) -> Alarm:
        if said.seen and known.state in UNSEEN:
            asked = self._pending.done(known.condition.key, Act.ACKNOWLEDGE)
            by, note = (asked.by, asked.note) if asked else (_by(said.by), said.note)
            return self._book.acknowledge(known, by, said.time, note)
        if said.seen is False and said.present and known.state is State.ACKNOWLEDGED:
            return self._book.realarm(known, said.time)
        return known

    def _end(self, known: Alarm, time: int, by: str) -> None:
        if known.state is State.CLOSED:
            return
        asked = self._pending.done(known.condition.key, Act.CONFIRM)
        who = asked.by if asked else "" if known.state in PRESENT else _by(by)
        self._book.step(known, Move.CLEAR, time, _ENDS[known.state], who, asked.note if asked else "")

    def _forget(self, retained: Retained) -> None:
        """End what a refresh left out. A branch stays while its condition is told: not every server tells branches."""
        for alarm in self._book.of_kind(AlarmKind.CONDITION):
            device = alarm.condition.device
            if (device.get("source"), device.get("notifier")) != (retained.source, retained.notifier):
                continue
            trunk = f"condition:{device['source']}:{device['id']}:"
            if not {alarm.condition.key, trunk} & retained.keys:
                self._end(alarm, retained.time, "")

    def _set_aside(self, said: Report, alarm: Alarm) -> None:
        key = said.condition.key
        for aside in self._asides(said, alarm.id):
            known = self._book.aside_of_kind(key, aside.kind)
            if known is None or known.alarm == 0:
                asked = self._pending.done(key, Act.SHELVE) if aside.kind is AsideKind.SHELVED else None
                self._book.set_aside(_of(aside, asked), alarm)
        for kind in AsideKind:
            known = self._book.aside_of_kind(key, kind)
            if known is not None and known.by.endswith(AT_DEVICE) and kind not in said.asides:
                asked = self._pending.done(key, Act.UNSHELVE) if kind is AsideKind.SHELVED else None
                self._book.put_back(alarm, kind, said.time, _by(asked.by if asked else said.by))

    def _asides(self, said: Report, number: int) -> Iterable[Aside]:
        for kind, until in said.asides.items():
            yield Aside(said.condition.key, kind, AT_DEVICE, said.time, until, AT_DEVICE, number)


def _of(aside: Aside, asked: Asked | None) -> Aside:
    return replace(aside, by=_by(asked.by), reason=asked.note) if asked else aside


def _by(name: str) -> str:
    return f"{name}, {AT_DEVICE}" if name else AT_DEVICE
