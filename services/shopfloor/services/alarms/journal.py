"""The journal: every time that an alarm was raised, until it returned. An alarm may come and go many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shopfloor.services.alarms.alarm import Condition
from shopfloor.services.historian.selector import Selector


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An alarm from when it was raised to when it returned (UTC ns; `end` None: it is still there).

    `number` grows in the order in which they were recorded; `alarm` is the number of the alarm.
    """

    number: int
    alarm: int
    condition: Condition
    sentence: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which occurrences: what is not said does not matter. `assets` are selectors; `tag` is a full path or its end.

    `priority` is the least urgent one (1 is the most urgent); `text` is looked for in title and sentence.
    """

    assets: Sequence[Selector] = ()
    tag: str | None = None
    kind: str | None = None
    code: str | None = None
    priority: int | None = None
    text: str | None = None

    def fits(self, one: Occurrence) -> bool:
        """Whether it is one of them."""
        condition = one.condition
        return (
            (not self.assets or any(selector.matches(condition.asset or "") for selector in self.assets))
            and (self.tag is None or f"/{condition.tag or ''}".endswith(f"/{self.tag}"))
            and self.kind in {None, condition.kind.value}
            and self.code in {None, condition.code}
            and (self.priority is None or condition.priority <= self.priority)
            and (self.text is None or self.text.casefold() in f"{condition.title} {one.sentence}".casefold())
        )
