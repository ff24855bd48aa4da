"""Source alarms: a link that is down, values that stay away, a gateway that is silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shopfloor.plant.counted import counted
from shopfloor.services.alarms.alarm import Change, Condition
from shopfloor.services.alarms.hold import Hold
from shopfloor.services.alarms.state import AlarmKind

PATIENCE_S: Final = 10.0
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


class SourceWatch:
    """Raises after ten seconds of trouble; one alarm per source, and one per silent gateway."""

    def __init__(self, raised: Iterable[str] = ()) -> None:
        raised = list(raised)
        self._down = Hold(PATIENCE_S, 2.0, [key for key in raised if key.startswith("source:down:")])
        self._late = Hold(0.0, 2.0, [key for key in raised if not key.startswith(("source:down:", "source:dropped:"))])
        self._dropped = Hold(0.0, _DROPPING_S, [key for key in raised if key.startswith("source:dropped:")])
        self._counts: dict[tuple[str, str], int] = {}

    def judge(self, links: Iterable[Link], now: int) -> Iterator[Change]:
        """What changed, given all sources of all gateways."""
        links = list(links)
        yield from self._down.see(_keyed(_down(link) for link in links if link.silent_s < PATIENCE_S), now)
        yield from self._late.see(_keyed(_late(link) for link in links), now)
        yield from self._dropped.see(_keyed(self._loss(link) for link in links), now)

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


def _late(link: Link) -> Condition | None:
    if link.silent_s >= PATIENCE_S:
        return _silent(link)
    if link.state == "connected" and link.streams and (link.newest_age_s or 0.0) > PATIENCE_S:
        return _quiet(link)
    return None


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
