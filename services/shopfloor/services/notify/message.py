"""What a message says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from shopfloor.services.alarms import Alarm
from shopfloor.services.clock import to_ms

_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Message:
    """A subject (one line), a text, and the same for machines; `attachment` is the path of a file that goes with it."""

    subject: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    attachment: str = ""


class Writer:
    """Writes messages of one plant: its title, its time zone, and where its pages are ("" when nobody said)."""

    def __init__(self, plant: str, timezone: str, link: str) -> None:
        self._plant, self._zone, self._link = plant, ZoneInfo(timezone), link.rstrip("/")

    def one(self, alarm: Alarm) -> Message:
        """A message about one alarm."""
        condition = alarm.condition
        lines = [condition.sentence, condition.why, f"Do: {condition.advice}" if condition.advice else ""]
        lines += [self._waits(alarm), self._address(alarm)]
        again = "" if alarm.realarmed is None else " (asks again)"
        subject = f"[{condition.priority}] {self._plant}: {_place(alarm)} {condition.title}{again}"
        return Message(_line(subject), "\n".join(filter(None, lines)), {"kind": "alarm", "alarms": [_told(alarm)]})

    def many(self, alarms: Sequence[Alarm], flood: int | None) -> Message:
        """One message instead of many; the most urgent alarms are named. `flood`: since when (UTC ns) there is one."""
        count = len(alarms)
        what = "Alarm flood" if flood is not None else "More alarms"
        lines = [f"{count} alarms wait that nobody has acknowledged. The most urgent:"]
        lines += [f"[{a.condition.priority}] {_place(a)} {a.condition.title}" for a in alarms[:_LISTED]]
        lines += [f"There is an alarm flood since {self._moment(flood)}."] if flood is not None else []
        lines += [f"{self._link}/alarms?by=line"] if self._link else []
        data = {"kind": "alarms", "count": count, "flood": flood is not None, "alarms": [_told(a) for a in alarms[:50]]}
        return Message(_line(f"{self._plant}: {what}, {count} not acknowledged"), "\n".join(lines), data)

    def _waits(self, alarm: Alarm) -> str:
        since = f"Since {self._moment(alarm.since)}"
        if alarm.realarmed is None:
            return f"{since}; nobody has acknowledged it."
        return f"{since}; it was acknowledged, is still there, and asks again since {self._moment(alarm.realarmed)}."

    def _moment(self, ns: int) -> str:
        return datetime.fromtimestamp(ns / 1e9, self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _address(self, alarm: Alarm) -> str:
        return f"{self._link}/alarms?alarm={alarm.id}" if self._link else ""


def _place(alarm: Alarm) -> str:
    return str(alarm.condition.values.get("asset") or (alarm.condition.asset or "").rpartition("/")[2])


def _line(text: str) -> str:
    r"""On one line: a line break in a subject would begin another header.

    >>> _line("Power high\r\nBcc: all")
    'Power high Bcc: all'
    """
    return " ".join(text.split())[:200]


def _told(alarm: Alarm) -> dict[str, Any]:
    condition = alarm.condition
    return {
        "id": alarm.id, "asset": condition.asset, "tag": condition.tag, "priority": condition.priority,
        "code": condition.code, "title": condition.title, "sentence": condition.sentence, "advice": condition.advice,
        "since": to_ms(alarm.since), "again": alarm.realarmed is not None, "state": alarm.state.value,
    }  # fmt: skip
