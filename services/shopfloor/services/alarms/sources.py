"""Source alarms: a link that is down, values that stay away, a gateway that is silent."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shopfloor.plant.counted import counted
from shopfloor.services.alarms.alarm import Change, Condition
from shopfloor.services.alarms.hold import Hold
from shopfloor.services.alarms.state import AlarmKind

PATIENCE_S: Final = 10.0
_UNKNOWN_S: Final = 30.0
_DROPPING_S: Final = 30.0
_WELL: Final = frozenset({"connected", "finished"})


@dataclass(frozen=True, slots=True)
class Link:
    """What the watch knows of one source: its state, and how old its newest value and its gateway's post are."""

    gateway: str
    source: str
    state: str
    detail: str
    newest_age_s: float | None
    silent_s: float
    streams: bool = True
    dropped: int = 0


class _Rhythm:
    """How long a source that is connected may have nothing new: thrice the longest of its last pauses.

    A pause counts as twice what was allowed at most, so that an outage is soon forgotten, and a slower rhythm learned.
    """

    def __init__(self) -> None:
        self._newest: float | None = None
        self._pauses: deque[float] = deque(maxlen=20)

    @property
    def patience_s(self) -> float:
        return max(PATIENCE_S, 3 * max(self._pauses)) if self._pauses else _UNKNOWN_S

    def is_late(self, age_s: float, now: int) -> bool:
        newest = now / 1e9 - age_s
        pause = newest - self._newest if self._newest is not None else 0.0
        if pause > 0.1:
            self._pauses.append(min(pause, 2 * self.patience_s))
        self._newest = newest
        return age_s > self.patience_s


class SourceWatch:
    """Raises after ten seconds of trouble, or when values stay away that came more often; one alarm per source.

    A gateway that is silent is one alarm, however many its sources are.
    """

    def __init__(self, raised: Iterable[str] = ()) -> None:
        raised = list(raised)
        self._down = Hold(PATIENCE_S, 2.0, [key for key in raised if key.startswith("source:down:")])
        self._late = Hold(0.0, 2.0, [key for key in raised if not key.startswith(("source:down:", "source:dropped:"))])
        self._dropped = Hold(0.0, _DROPPING_S, [key for key in raised if key.startswith("source:dropped:")])
        self._counts: dict[tuple[str, str], int] = {}
        self._rhythms: defaultdict[tuple[str, str], _Rhythm] = defaultdict(_Rhythm)

    def judge(self, links: Iterable[Link], now: int) -> Iterator[Change]:
        """What changed, given all sources of all gateways."""
        links = list(links)
        yield from self._down.see(_keyed(_down(link) for link in links if link.silent_s < PATIENCE_S), now)
        yield from self._late.see(_keyed(self._lateness(link, now) for link in links), now)
        yield from self._dropped.see(_keyed(self._loss(link) for link in links), now)

    def _lateness(self, link: Link, now: int) -> Condition | None:
        if link.silent_s >= PATIENCE_S:
            return _silent(link)
        if link.state != "connected" or not link.streams or link.newest_age_s is None:
            return None
        rhythm = self._rhythms[link.gateway, link.source]
        return _quiet(link) if rhythm.is_late(link.newest_age_s, now) else None

    def _loss(self, link: Link) -> Condition | None:
        """Values that were dropped since the last look; at the first look, how many ever were is no news."""
        known = self._counts.get((link.gateway, link.source), link.dropped)
        self._counts[link.gateway, link.source] = link.dropped
        return _dropping(link) if link.dropped > known else None


def _keyed(conditions: Iterable[Condition | None]) -> dict[str, Condition]:
    return {condition.key: condition for condition in conditions if condition}


def designed(links: Iterable[Link]) -> Iterator[Condition]:
    """What can be raised of each source, and of each gateway."""
    for link in links:
        yield _lost(link)
        yield _dropping(link)
        yield _silent(link)
        if link.streams:
            yield _quiet(link)


def _down(link: Link) -> Condition | None:
    return None if link.state in _WELL else _lost(link)


def _lost(link: Link) -> Condition:
    return _condition(
        link,
        key=f"source:down:{link.gateway}:{link.source}",
        code="source_lost",
        priority=2,
        title=f"Source {link.source} is down",
        sentence=f"The gateway {link.gateway} has no link to the source {link.source}.",
        why=link.detail,
        advice="Look at the device's power and network; the gateway tries again by itself.",
    )


def _silent(link: Link) -> Condition:
    return _condition(
        link,
        key=f"source:silent:{link.gateway}",
        code="gateway_silent",
        priority=2,
        title=f"Gateway {link.gateway} is silent",
        sentence=f"The gateway {link.gateway} has not reported for more than {PATIENCE_S:.0f} s.",
        advice="Look whether the gateway runs and reaches this server; it keeps its values meanwhile.",
    )


def _quiet(link: Link) -> Condition:
    return _condition(
        link,
        key=f"source:quiet:{link.gateway}:{link.source}",
        code="source_quiet",
        priority=3,
        title=f"No values from {link.source}",
        sentence=f"The source {link.source} is connected, but its newest value is old.",
        advice="Look whether the device is switched on, and whether its clock is right.",
    )


def _dropping(link: Link) -> Condition:
    gone = counted(link.dropped, "value was", "values were")
    return _condition(
        link,
        key=f"source:dropped:{link.gateway}:{link.source}",
        code="values_dropped",
        priority=1,
        title=f"Values of {link.source} are being lost",
        sentence=f"The spool of the gateway {link.gateway} is full: {gone} dropped so far.",
        advice="Bring the server or the network back, or give the gateway a larger spool.",
    )


def _condition(link: Link, **words: object) -> Condition:
    values: dict[str, float | str] = {"gateway": link.gateway, "source": link.source}
    return Condition(kind=AlarmKind.SOURCE, values=values, **words)  # type: ignore[arg-type]
