"""Who is to be told now: routes, steps, quiet shifts, and one message where there would be many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shopfloor.plant.config import NotifySection, RouteSection, StepSection
from shopfloor.services.alarms import Alarm
from shopfloor.services.alarms.state import UNSEEN
from shopfloor.services.historian.selector import Selector

SINGLE: Final = 5
"""So many messages of a step in ten minutes are about one alarm each."""
SPAN_NS: Final = 600 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Due:
    """A step of a route that must speak, and the alarms that have waited long enough for it, most urgent first."""

    name: str
    step: StepSection
    alarms: tuple[Alarm, ...]

    def key(self, alarm: Alarm) -> str:
        """Names one time that an alarm asks at this step: when it was raised, and each time that it asks again."""
        return f"{self.name}:{alarm.id}:{alarm.asked}"

    def targets(self) -> Iterator[tuple[str, str]]:
        """Where messages of the step go: the way, and the address. The URL stays in the plant file."""
        yield from (("mail", address) for address in self.step.mail)
        if self.step.webhook:
            yield "webhook", self.name


class Routes:
    """The routes of a plant file; `shift` tells the name of the shift at a time (UTC ns)."""

    def __init__(self, section: NotifySection, shift: Callable[[int], str]) -> None:
        self._routes = [(route, [Selector(text) for text in route.assets]) for route in section.routes]
        self._shift = shift

    def due(self, alarms: Sequence[Alarm], now: int) -> Iterator[Due]:
        """Steps that have something to say about these open alarms, told before or not."""
        waiting = sorted((a for a in alarms if a.state in UNSEEN), key=lambda a: (a.condition.priority, -a.asked))
        shift = self._shift(now) if waiting else ""
        for route, selectors in self._routes:
            mine = [alarm for alarm in waiting if _means(route, selectors, alarm)]
            for number, step in enumerate(route.steps):
                late = tuple(alarm for alarm in mine if now - alarm.asked >= step.after * 1e9)
                if late and shift not in step.quiet:
                    yield Due(f"{route.name}/{number + 1}", step, late)

    def step(self, name: str) -> StepSection | None:
        """The step of that name; None when the plant file no longer has it."""
        found = (
            step
            for route, _ in self._routes
            for number, step in enumerate(route.steps)
            if f"{route.name}/{number + 1}" == name
        )
        return next(found, None)


def _means(route: RouteSection, selectors: Iterable[Selector], alarm: Alarm) -> bool:
    if alarm.condition.priority > route.priority:
        return False
    selectors = list(selectors)
    return not selectors or any(one.matches(alarm.condition.asset or "") for one in selectors)
