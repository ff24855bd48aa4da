"""The journal of transitions: who did what to which alarm, when, from which state to which, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shopfloor.plant import EventKind
from shopfloor.services.alarms.database import Database
from shopfloor.services.alarms.load import Arrival
from shopfloor.services.historian.selector import Selector

_ALL: Final = """
SELECT id, time, kind, subject, sentence, detail FROM events
WHERE time >= ? AND time < ? AND id < ? AND kind LIKE 'alarm-%' ORDER BY id DESC LIMIT ?
"""
_CAME: Final = """
SELECT time, kind, subject, detail FROM events
WHERE time >= ? AND kind IN ('alarm-raised', 'alarm-realarmed') AND json_extract(detail, '$.aside') IS NULL
ORDER BY time
"""
_PORTION: Final = 1_000
NEWEST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in the life of an alarm (`time` UTC ns). `number` grows as they were recorded.

    `before` and `after` are states of the standard's diagram; empty in what was written before they were kept.
    `by` is empty where the server did it by itself; `aside` says what hid the alarm meanwhile.
    """

    number: int
    time: int
    kind: str
    asset: str
    sentence: str
    alarm: int
    title: str
    code: str
    priority: int
    before: str
    after: str
    by: str
    reason: str
    aside: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which transitions: what is not said does not matter. `priority` is the least urgent one (1 the most urgent)."""

    assets: Sequence[Selector] = ()
    priority: int | None = None
    text: str | None = None
    state: str | None = None
    alarm: int | None = None

    def fits(self, one: Transition) -> bool:
        """Whether it is one of them."""
        said = f"{one.title} {one.sentence} {one.by} {one.reason}".casefold()
        return (
            (not self.assets or any(selector.matches(one.asset) for selector in self.assets))
            and (self.priority is None or one.priority <= self.priority)
            and (self.text is None or self.text.casefold() in said)
            and self.state in {None, one.after}
            and self.alarm in {None, one.alarm}
        )


def transitions(database: Database, start: int, end: int, asked: Asked, before: int) -> Iterator[Transition]:
    """Wanted transitions of a time range (UTC ns, end exclusive) with a number below `before`, the newest first."""
    while rows := database.do(_ALL, (start, end, before, _PORTION)).fetchall():
        yield from (one for one in map(_transition, rows) if asked.fits(one))
        before = rows[-1][0]


def arrivals(database: Database, start: int) -> Iterator[Arrival]:
    """What began to ask for attention since a time (UTC ns), the oldest first."""
    for time, kind, subject, text in database.do(_CAME, (start,)).fetchall():
        detail = json.loads(text)
        key = str(detail.get("alike") or detail.get("key", detail.get("alarm")))
        began = time if kind == EventKind.ALARM_RAISED and not detail.get("earlier") else None
        yield Arrival(time, key, int(detail.get("priority", 3)), str(detail.get("title", "")), subject, began)


def _transition(row: tuple[Any, ...]) -> Transition:
    number, time, kind, subject, sentence, text = row
    detail = json.loads(text)
    words = {word: str(detail.get(word, "")) for word in ("title", "code", "before", "after", "by", "reason", "aside")}
    return Transition(
        number=number, time=time, kind=kind, asset=subject, sentence=sentence, alarm=int(detail.get("alarm", 0)),
        priority=int(detail.get("priority", 3)), **words,
    )  # fmt: skip
