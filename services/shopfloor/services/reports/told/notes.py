"""What people and models asked for in the time of a report: setpoints, advice, notes."""

from __future__ import annotations

from typing import Final

from shopfloor.plant import EventKind
from shopfloor.services.alarms import Wanted
from shopfloor.services.reports.document import Advice, Noted, Written
from shopfloor.services.reports.scope import Scope
from shopfloor.services.reports.told.services import Services

_MOST: Final = 10_000
_LISTED: Final = 50
_SETPOINTS: Final = frozenset({EventKind.SETPOINT_WRITTEN, EventKind.SETPOINT_REFUSED})


def setpoints(of: Scope[Services]) -> tuple[Written, ...]:
    """Setpoints that were asked for, the oldest first, written or refused."""
    events = [one for one in of.services.alarms.events(of.start, of.end, limit=_MOST) if one.kind in _SETPOINTS]
    words = ("tag", "asked", "before", "after", "status", "by", "reason")
    mine = [one for one in reversed(events) if of.holds(one.subject)]
    return tuple(Written(one.time, *(str(one.detail.get(word, "")) for word in words)) for one in mine[:_LISTED])


def advice(of: Scope[Services]) -> tuple[Advice, ...]:
    """Predictions that asked for action: each is an alarm of a model, with what came of it."""
    alarms, written = of.services.alarms, setpoints(of)
    rows = []
    for one in alarms.journal(of.start, of.end, Wanted(kind="model"), 0, _MOST):
        asset, alarm = one.condition.asset or "", alarms.find(one.alarm)
        if not of.holds(asset):
            continue
        seen = alarm.acknowledged.by if alarm and alarm.acknowledged and alarm.acknowledged.time >= one.start else ""
        set_ = sum(w.tag.startswith(f"{asset}/") and w.time >= one.start for w in written)
        rows.append(Advice(of.title(asset), one.condition.title, one.condition.advice, one.start, one.end, seen, set_))
    return tuple(rows[-_LISTED:])


def notes(of: Scope[Services]) -> tuple[Noted, ...]:
    """The journal of production, and what people wrote when they acknowledged alarms; the oldest first."""
    production, alarms = of.services.production, of.services.alarms
    found = [
        Noted(one.time, one.by, of.title(one.subject), one.sentence)
        for one in production.store.notes(of.start, of.end, _MOST)
        if of.holds(one.subject)
    ]
    for alarm in alarms.all(limit=_MOST):
        seen = alarm.acknowledged
        if seen and seen.note and of.start <= seen.time < of.end and of.holds(alarm.condition.asset or ""):
            said = f"{alarm.condition.title}: {seen.note}"
            found.append(Noted(seen.time, seen.by, of.title(alarm.condition.asset or ""), said))
    return tuple(sorted(found, key=lambda one: one.time)[-_LISTED:])
