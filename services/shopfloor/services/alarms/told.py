"""How a transition of an alarm is written down: an event with who, before, after and why."""

from __future__ import annotations

from typing import Final

from shopfloor.plant import Event, EventKind
from shopfloor.services.alarms.alarm import Alarm

_SENTENCES: Final = {
    EventKind.ALARM_RETURNED: "{title}: back to normal.",
    EventKind.ALARM_ACKNOWLEDGED: "{title}: seen by {by}.",
    EventKind.ALARM_REALARMED: "{title}: still there, asks again.",
    EventKind.ALARM_RESET: "{title}: reset by {by}.",
    EventKind.ALARM_SHELVED: "{title}: shelved by {by}.",
    EventKind.ALARM_UNSHELVED: "{title}: no longer shelved.",
    EventKind.ALARM_SUPPRESSED: "{title}: suppressed by design.",
    EventKind.ALARM_UNSUPPRESSED: "{title}: no longer suppressed.",
    EventKind.ALARM_OUT_OF_SERVICE: "{title}: taken out of service by {by}.",
    EventKind.ALARM_IN_SERVICE: "{title}: put back into service by {by}.",
}


def told(
    alarm: Alarm,
    time: int,
    kind: EventKind,
    change: tuple[str, str],
    *,
    by: str = "",
    reason: str = "",
    aside: str = "",
) -> Event:
    """The event of a transition from one state to another, at a time (UTC ns).

    `by` is empty where the server did it itself; `aside` says what hid the alarm meanwhile.
    """
    condition = alarm.condition
    sentence = _SENTENCES.get(kind, condition.sentence).format(title=condition.title, by=by)
    if kind is EventKind.ALARM_RAISED:
        sentence = condition.sentence
    subject = condition.asset or str(condition.values.get("source", condition.key))
    detail: dict[str, str | float | int] = {
        "alarm": alarm.id, "key": condition.key, "code": condition.code, "priority": condition.priority,
        "title": condition.title, "before": change[0], "after": change[1],
    }  # fmt: skip
    if condition.alike != condition.key:
        detail |= {"alike": condition.alike, "earlier": bool(condition.device.get("earlier"))}
    detail |= {word: text for word, text in (("by", by), ("reason", reason), ("aside", aside)) if text}
    return Event(time, kind, subject, sentence, detail)
