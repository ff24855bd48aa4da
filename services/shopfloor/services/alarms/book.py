"""The book of alarms: applies changes and acknowledgements, keeps the open ones at hand, writes events."""

from __future__ import annotations

import threading
from dataclasses import replace

from shopfloor.plant import Event, EventKind
from shopfloor.services.alarms.alarm import Acknowledgement, Alarm, Change, Condition
from shopfloor.services.alarms.state import PRESENT, AlarmKind, Move, State, after
from shopfloor.services.alarms.store import AlarmStore


class Book:
    """At most one open alarm per condition key. `version` grows with every change. Safe from any thread."""

    def __init__(self, store: AlarmStore) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._open = {alarm.condition.key: alarm for alarm in store.open_alarms()}
        self.version = 0

    def apply(self, change: Change) -> Alarm | None:
        """Raise or return; None when nothing new was said."""
        with self._lock:
            known = self._open.get(change.key)
            if change.condition is not None:
                return self._raise(known, change.condition, change.time)
            if known is None or known.state not in PRESENT:
                return None
            alarm = replace(known, state=after(known.state, Move.RETURN), returned=change.time)
            return self._keep(alarm, change.time, EventKind.ALARM_RETURNED)

    def acknowledge(self, alarm: Alarm, by: str, time: int, note: str) -> Alarm:
        """Note who has seen it; an alarm that is acknowledged or closed stays as it is."""
        with self._lock:
            alarm = self._open.get(alarm.condition.key, alarm)
            if alarm.acknowledged is not None or alarm.state is State.CLOSED:
                return alarm
            seen = Acknowledgement(by, time, note)
            alarm = replace(alarm, state=after(alarm.state, Move.ACKNOWLEDGE), acknowledged=seen)
            return self._keep(alarm, time, EventKind.ALARM_ACKNOWLEDGED)

    def open_alarms(self) -> list[Alarm]:
        """Open alarms: most urgent first, then present before returned, then newest."""
        with self._lock:
            alarms = list(self._open.values())
        return sorted(alarms, key=lambda a: (a.condition.priority, a.state is State.RETURNED, -a.since))

    def present_keys(self, kind: AlarmKind) -> set[str]:
        """Keys of the conditions that are true now, as far as the book knows."""
        return {a.condition.key for a in self.open_alarms() if a.condition.kind is kind and a.state in PRESENT}

    def _raise(self, known: Alarm | None, condition: Condition, time: int) -> Alarm | None:
        if known is None:
            return self._keep(self._store.insert(condition, time), time, EventKind.ALARM_RAISED)
        if known.state is not State.RETURNED:
            return None
        alarm = Alarm(known.id, condition, after(known.state, Move.RAISE), time)
        return self._keep(alarm, time, EventKind.ALARM_RAISED)

    def _keep(self, alarm: Alarm, time: int, kind: EventKind) -> Alarm:
        self._store.update(alarm)
        if alarm.state is State.CLOSED:
            self._open.pop(alarm.condition.key, None)
        else:
            self._open[alarm.condition.key] = alarm
        self.version += 1
        self._store.record(_event(alarm, time, kind))
        return alarm


def _event(alarm: Alarm, time: int, kind: EventKind) -> Event:
    condition = alarm.condition
    by = alarm.acknowledged.by if alarm.acknowledged else ""
    sentence = {
        EventKind.ALARM_RAISED: condition.sentence,
        EventKind.ALARM_RETURNED: f"{condition.title}: back to normal.",
        EventKind.ALARM_ACKNOWLEDGED: f"{condition.title}: seen by {by}.",
    }[kind]
    subject = condition.asset or str(condition.values.get("source", condition.key))
    return Event(
        time, kind, subject, sentence, {"alarm": alarm.id, "code": condition.code, "priority": condition.priority}
    )
