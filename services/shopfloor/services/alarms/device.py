"""Conditions of devices: what a device said of one becomes what the book must show of an alarm (OPC 10000-9).

The device's word is the truth for active, acknowledged, latched, shelved, suppressed and out of service. Between the
start and the end of a refresh it tells all that it retains; what it did not tell is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.plant.condition import Act, Refresh, Told
from shopfloor.services.alarms.alarm import Condition
from shopfloor.services.alarms.aside import AsideKind
from shopfloor.services.alarms.state import AlarmKind

AT_DEVICE: Final = "at the device"
_FUTURE_NS: Final = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """How a condition stands at its device, at a time (UTC ns).

    `seen`: acknowledged there, None where it keeps no acknowledgements; `stays`: when it returned it waits for a reset
    or a confirmation; `gone`: nothing of it needs anybody. `asides`: what hides it there, until when (None: unknown).
    """

    condition: Condition
    time: int
    present: bool
    seen: bool | None
    stays: bool
    gone: bool
    asides: Mapping[AsideKind, int | None] = field(default_factory=dict)
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Retained:
    """The end of a refresh at a time (UTC ns): of a notifier of a source only conditions with these keys are left."""

    source: str
    notifier: str
    time: int
    keys: frozenset[str]


def report(told: Told, arrived: int, titles: Mapping[str, str]) -> Report:
    """What a statement means that arrived at a time (UTC ns); `titles` are those of assets.

    A clock of a device that runs ahead is not believed: alarms of the future would wait for their turn. A branch is an
    earlier occurrence, which waits to be seen and is over, whatever its snapshot says.
    """
    there = told.enabled is not False and told.retain
    present = there and told.active is not False and not told.branch
    waits = there and (told.acked is False or told.confirmed is False or bool(told.latched))
    return Report(
        condition=_condition(told, titles),
        time=told.time if 0 < told.time <= arrived + _FUTURE_NS else arrived,
        present=present,
        seen=told.acked,
        stays=told.confirmed is False or bool(told.latched),
        gone=not (present or waits),
        asides=dict(_asides(told)),
        by=told.by,
        note=told.comment,
    )


def _asides(told: Told) -> Iterable[tuple[AsideKind, int | None]]:
    if told.out:
        yield AsideKind.OUT_OF_SERVICE, None
    if told.suppressed:
        yield AsideKind.SUPPRESSED, None
    if told.shelved:
        yield AsideKind.SHELVED, told.time + int(told.unshelve_s * 1e9) if told.unshelve_s else None


def _condition(told: Told, titles: Mapping[str, str]) -> Condition:
    title = told.name or told.subject or told.message
    earlier = "An earlier occurrence: " if told.branch else ""
    return Condition(
        key=told.key,
        kind=AlarmKind.CONDITION,
        code=told.name,
        priority=told.priority,
        title=title,
        sentence=f"{earlier}{told.message or title}",
        asset=told.asset or None,
        tag=told.tag or None,
        values={"source": told.source, "asset": titles.get(told.asset, told.subject), "severity": told.severity},
        device=_origin(told),
    )


def _origin(told: Told) -> dict[str, Any]:
    return {
        "source": told.source, "id": told.id, "event": told.event, "notifier": told.notifier,
        "keeps": told.acked is not None, "subject": told.subject, "severity": told.severity, "time": told.time,
        "answers": list(told.answers), "earlier": bool(told.branch),
        "confirm": told.confirmed is False and told.acked is not False and Act.CONFIRM in told.answers,
    }  # fmt: skip


class Refreshes:
    """Which conditions were told in refreshes that have begun. `since` is when the oldest of them began (UTC ns)."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[int, set[str]]] = {}

    def take(self, told: Told, arrived: int) -> Retained | None:
        """Note a statement that arrived at a time (UTC ns); the end of a refresh answers what is left."""
        place = (told.source, told.notifier)
        if told.refresh is Refresh.START:
            self._told[place] = (arrived, set())
        elif told.refresh is Refresh.END:
            begun = self._told.pop(place, None)
            return Retained(*place, arrived, frozenset(begun[1])) if begun else None
        elif place in self._told:
            self._told[place][1].add(told.key)
        return None

    def since(self, source: str) -> int | None:
        """When the oldest refresh of a source began that has not ended."""
        return min((time for (name, _), (time, _) in self._told.items() if name == source), default=None)
