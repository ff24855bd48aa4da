"""The book of alarms: applies changes, acknowledgements and what is set aside; keeps the open ones; writes events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from shopfloor.plant import EventKind, StoreError
from shopfloor.services.alarms.alarm import Acknowledgement, Alarm, Change, Condition
from shopfloor.services.alarms.aside import EVENTS, NORMAL, Aside, AsideKind, shown
from shopfloor.services.alarms.asides import Asides
from shopfloor.services.alarms.device import AT_DEVICE
from shopfloor.services.alarms.state import PRESENT, AlarmKind, Move, State, after
from shopfloor.services.alarms.store import AlarmStore
from shopfloor.services.alarms.told import told


class Groups(Protocol):
    """Which alarms belong together, and which of them came first."""

    def group(self, condition: Condition) -> str:
        """Name of the group of a condition, or nothing."""

    def came(self, condition: Condition, time: int) -> tuple[bool, str]:
        """Whether it is the first, and the key that is no longer."""


@dataclass(frozen=True, slots=True)
class Design:
    """What the plant file says: why a condition is suppressed now (UTC ns), and the first-out groups."""

    suppressed: Callable[[Condition, int], str] = lambda _condition, _now: ""
    groups: Groups | None = None


class Book:
    """At most one open alarm per condition key. `version` grows with every change. Safe from any thread.

    `heard` is called with every alarm that begins to ask for attention, and the time (UTC ns).
    """

    def __init__(
        self, store: AlarmStore, design: Design | None = None, heard: Callable[[Alarm, int], None] = lambda *_: None
    ) -> None:
        self._store, self._design, self._heard = store, design or Design(), heard
        self._lock = threading.RLock()
        self.version = 0
        self._load()

    def apply(self, change: Change) -> Alarm | None:
        """Raise or return; None when nothing new was said."""
        with self.changing():
            known = self._open.get(change.key)
            if change.condition is not None:
                return self._raise(known, change.condition, change.time)
            if known is None or known.state not in PRESENT:
                return None
            hidden = self._asides.kinds(change.key)
            move = Move.LATCH if known.condition.latch else Move.CLEAR if hidden else Move.RETURN
            alarm = replace(known, state=after(known.state, move), returned=change.time)
            return self._keep(known, alarm, change.time, EventKind.ALARM_RETURNED)

    def acknowledge(self, alarm: Alarm, by: str, time: int, note: str) -> Alarm:
        """Note who has seen it; an alarm that is acknowledged or closed stays as it is."""
        with self.changing():
            known = self._current(alarm)
            if known.acknowledged is not None or known.state is State.CLOSED:
                return known
            seen = Acknowledgement(by, time, note)
            alarm = replace(known, state=after(known.state, Move.ACKNOWLEDGE), acknowledged=seen)
            return self._keep(known, alarm, time, EventKind.ALARM_ACKNOWLEDGED, by, note)

    def reset(self, alarm: Alarm, by: str, time: int, note: str) -> Alarm:
        """Let a latched alarm go that has returned and was seen; any other stays as it is."""
        with self.changing():
            known = self._current(alarm)
            state = after(known.state, Move.RESET)
            if state is known.state:
                return known
            return self._keep(known, replace(known, state=state), time, EventKind.ALARM_RESET, by, note)

    def step(self, alarm: Alarm, move: Move, time: int, kind: EventKind, by: str = "", reason: str = "") -> Alarm:
        """Take one step of the diagram as a device says it."""
        with self.changing():
            returned = time if alarm.state in PRESENT else alarm.returned
            stepped = replace(alarm, state=after(alarm.state, move), returned=returned)
            return self._keep(alarm, stepped, time, kind, by, reason)

    def realarm(self, alarm: Alarm, now: int) -> Alarm:
        """Let an acknowledged alarm ask again."""
        with self.changing():
            again = replace(alarm, state=after(alarm.state, Move.REALARM), acknowledged=None, realarmed=now)
            self._keep(alarm, again, now, EventKind.ALARM_REALARMED)
            if not self._asides.kinds(alarm.condition.key):
                self._heard(again, now)
            return again

    def reword(self, alarm: Alarm, condition: Condition) -> None:
        """Take other words, numbers or urgency of the same condition."""
        if condition != alarm.condition:
            with self.changing():
                self._write(replace(alarm, condition=condition))

    def hide(self, aside: Aside) -> None:
        """Set aside what is about to be raised, so that nobody hears of it."""
        self._asides.put(aside)

    def set_aside(self, aside: Aside, alarm: Alarm) -> Alarm:
        """Hide all alarms of the condition of an alarm until it is put back; done again, it is renewed."""
        with self.changing():
            alarm = self._current(alarm)
            before = self._shown(alarm)
            self._asides.put(aside)
            self._tell(alarm, aside.since, EVENTS[aside.kind][0], before, aside.by, aside.reason)
            return alarm

    def foreseen(self, condition: Condition) -> Alarm:
        """The newest alarm of a condition; one that never came gets a row that no list has."""
        with self.changing():
            key = condition.key
            return self._open.get(key) or self._store.newest(key) or self._store.foresee(condition)

    def put_back(self, alarm: Alarm, kind: AsideKind, time: int, by: str = "", reason: str = "") -> Alarm:
        """Show the alarms of a condition again, in the state that they have by now."""
        with self.changing():
            alarm = self._current(alarm)
            before, hidden = self._shown(alarm), self._asides.top(alarm.condition.key)
            if self._asides.remove(alarm.condition.key, kind) is None:
                return alarm
            self._tell(alarm, time, EVENTS[kind][1], before, by, reason)
            if hidden and alarm.state is State.ACTIVE and not self._asides.kinds(alarm.condition.key):
                self._heard(alarm, time)
            return alarm

    def tick(self, now: int) -> None:
        """What time changes: shelving ends, suppression begins or ends, acknowledged alarms ask again."""
        with self.changing():
            for aside in self._asides.over(now):
                alarm = self._open.get(aside.key) or self._store.newest(aside.key)
                if alarm is not None:
                    self.put_back(alarm, aside.kind, now)
            for alarm in list(self._open.values()):
                self._suppress(alarm, now)
                self._realarm(alarm, now)

    def open_alarms(self) -> list[Alarm]:
        """Open alarms that are not set aside: most urgent first, then present before returned, then newest."""
        with self._lock:
            alarms = [alarm for alarm in self._open.values() if not self._asides.kinds(alarm.condition.key)]
        return sorted(alarms, key=lambda a: (a.condition.priority, a.state not in PRESENT, -a.since))

    def aside(self) -> list[tuple[Aside, Alarm]]:
        """What is set aside, the newest first, each with the alarm below it."""
        with self._lock:
            found = (
                (aside, self._open.get(aside.key) or self._store.newest(aside.key)) for aside in self._asides.all()
            )
            return [(aside, alarm) for aside, alarm in found if alarm is not None]

    def aside_of(self, key: str) -> Aside | None:
        """What hides the alarms of a condition, the strongest."""
        with self._lock:
            return self._asides.top(key)

    def aside_of_kind(self, key: str, kind: AsideKind) -> Aside | None:
        """What of one kind hides the alarms of a condition."""
        with self._lock:
            return self._asides.of(key, kind)

    def known(self, key: str) -> Alarm | None:
        """The open alarm of a condition."""
        with self._lock:
            return self._open.get(key)

    def of_kind(self, kind: AlarmKind) -> list[Alarm]:
        """The open alarms of a kind, also those that are set aside."""
        with self._lock:
            return [alarm for alarm in self._open.values() if alarm.condition.kind is kind]

    def present_keys(self, kind: AlarmKind) -> set[str]:
        """Keys of the conditions that are true now, as far as the book knows."""
        with self._lock:
            alarms = list(self._open.values())
        return {a.condition.key for a in alarms if a.condition.kind is kind and a.state in PRESENT}

    def _load(self) -> None:
        self._asides = Asides(self._store.database)
        self._open = {alarm.condition.key: alarm for alarm in self._store.open_alarms()}

    @contextmanager
    def changing(self) -> Iterator[None]:
        """All of a change is written, or none of it: then the book knows again what the disk knows."""
        with self._lock:
            try:
                with self._store.database.together():
                    yield
            except StoreError:
                self._load()
                raise

    def _current(self, alarm: Alarm) -> Alarm:
        return self._open.get(alarm.condition.key, alarm)

    def _shown(self, alarm: Alarm) -> str:
        return shown(alarm.state, self._asides.kinds(alarm.condition.key))

    def _raise(self, known: Alarm | None, condition: Condition, time: int) -> Alarm | None:
        if known is not None and known.state in PRESENT:
            return None
        groups = self._design.groups
        condition = replace(condition, group=groups.group(condition)) if groups else condition
        first, displaced = groups.came(condition, time) if groups else (False, "")
        if known is None:
            alarm = replace(self._store.insert(condition, time), first_out=first)
        else:
            alarm = Alarm(known.id, condition, after(known.state, Move.RAISE), time, first_out=first)
        if displaced in self._open:
            self._write(replace(self._open[displaced], first_out=False))
        self._keep(known, alarm, time, EventKind.ALARM_RAISED)
        self._suppress(alarm, time)
        if not self._asides.kinds(condition.key):
            self._heard(alarm, time)
        return alarm

    def _suppress(self, alarm: Alarm, now: int) -> None:
        key = alarm.condition.key
        reason, known = self._design.suppressed(alarm.condition, now), self._asides.of(key, AsideKind.SUPPRESSED)
        if reason and known is None:
            self.set_aside(Aside(key, AsideKind.SUPPRESSED, "", now, None, reason, alarm.id), alarm)
        elif known is not None and not reason and not known.by.endswith(AT_DEVICE):
            self.put_back(alarm, AsideKind.SUPPRESSED, now)

    def _realarm(self, alarm: Alarm, now: int) -> None:
        after_s, seen = alarm.condition.realarm_s, alarm.acknowledged
        if after_s is None or seen is None or now - seen.time < after_s * 1e9 or alarm.state is not State.ACKNOWLEDGED:
            return
        self.realarm(alarm, now)

    def _keep(
        self, known: Alarm | None, alarm: Alarm, time: int, kind: EventKind, by: str = "", reason: str = ""
    ) -> Alarm:
        before = shown(known.state, ()) if known else NORMAL
        hidden = self._asides.top(alarm.condition.key)
        self._write(alarm)
        change = before, shown(alarm.state, ())
        self._store.record(told(alarm, time, kind, change, by=by, reason=reason, aside=hidden.kind if hidden else ""))
        return alarm

    def _tell(self, alarm: Alarm, time: int, kind: EventKind, before: str, by: str, reason: str) -> None:
        self.version += 1
        self._store.record(told(alarm, time, kind, (before, self._shown(alarm)), by=by, reason=reason))

    def _write(self, alarm: Alarm) -> None:
        self._store.update(alarm)
        if alarm.state is State.CLOSED:
            self._open.pop(alarm.condition.key, None)
            self._asides.remove(alarm.condition.key, AsideKind.SUPPRESSED)
        else:
            self._open[alarm.condition.key] = alarm
        self.version += 1
