"""Watching what was promoted: an alarm takes it back by itself, a wave that went well is followed by the next one.

Feature drift never acts: the champion before it sees the same drift.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shopfloor.models.drift import CoverageAlarm
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.registry.gate import bounds_of, misses
from shopfloor.services.registry.registry import Registry
from shopfloor.services.registry.words import SYSTEM, Place, Version

log: Final = logging.getLogger(__name__)
LEAST_WINDOWS: Final = 50
"""Windows of a version before its errors and its latency are judged."""
LEAST_STORIES: Final = 20
"""Hours of assets before its loss is."""
_RARE: Final = 10_000.0
_SURE: Final = 0.999


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why a version may not go on: coverage, errors, latency or loss, and a sentence."""

    what: str
    sentence: str


@dataclass(slots=True)
class Watch:
    """Looks at every version that speaks; `tend` acts. What cannot be acted on is in `registry.alarms`."""

    registry: Registry

    def tend(self) -> None:
        """Roll back what alarms, go on with waves that went well."""
        for name, scope, place in self._speaking():
            try:
                self._tend(name, scope, place)
            except ShopfloorError as problem:
                log.warning("The models of %s on %s could not be tended: %s", name, scope, problem)

    def alarm(self, name: str, scope: str) -> Alarm | None:
        """What is wrong with the newest version that speaks on a scope."""
        place = self.registry.state.place(name, scope)
        number, since = _newest(place)
        if number is None:
            return None
        version = self.registry.state.version(name, number)
        against = place.champion if place.rollout else next(iter(place.before[-1:]), None)
        return self._judged(version, against, scope, since)

    def wave_went_well(self, name: str, scope: str, place: Place) -> bool:
        """Whether enough labelled windows of this wave are there, with no more loss than the champion's."""
        rollout = place.rollout
        if rollout is None:
            return False
        version = self.registry.state.version(name, rollout.number)
        evidence = self.registry.compared(version, place.champion, scope, rollout.since)
        better = place.champion is None or (evidence.difference is not None and evidence.difference <= 0.0)
        return evidence.exact >= LEAST_WINDOWS and better

    def _speaking(self) -> Iterator[tuple[str, str, Place]]:
        for name, places in list(self.registry.state.places.items()):
            for scope, place in places.items():
                if place.champion is not None or place.rollout is not None:
                    yield name, scope, place

    def _tend(self, name: str, scope: str, place: Place) -> None:
        found = self.alarm(name, scope)
        if found is None:
            self.registry.alarms.pop((name, scope), None)
            if self.wave_went_well(name, scope, place):
                self.registry.next_wave(name, scope, f"{SYSTEM}: wave", "The wave before it went well.")
        elif place.rollout or place.before:
            self.registry.roll_back(name, scope, f"{SYSTEM}: {found.what}", found.sentence)
        else:
            self.registry.alarms[name, scope] = f"{found.what}: {found.sentence}"

    def _judged(self, version: Version, against: int | None, scope: str, since: int) -> Alarm | None:
        scores, policy = self.registry.scores, self.registry.policy
        windows, failed, p99 = scores.health(version.name, version.number, scope, since)
        if windows >= LEAST_WINDOWS and failed / windows > policy.errors:
            return Alarm("errors", f"{failed} of {windows} windows got no score.")
        if windows >= LEAST_WINDOWS and p99 > policy.latency_ms:
            return Alarm("latency", f"A score takes {p99:.3g} ms, allowed are {policy.latency_ms:g}.")
        rows = scores.labelled(version.name, version.number, against, scope, since)
        missed = misses(version.card, rows)
        if CoverageAlarm(1.0 - version.card.coverage, _RARE).update_all(missed):
            return Alarm(
                "coverage", f"{missed.mean():.0%} of truths fell outside, {1 - version.card.coverage:.0%} may."
            )
        stories, lower, _ = bounds_of(version.card, rows, _SURE)
        if stories >= LEAST_STORIES and lower is not None and lower > 0.0:
            return Alarm("loss", f"Its loss is at least {lower:.3g} above that of version {against}.")
        return None


def _newest(place: Place) -> tuple[int | None, int]:
    """The version that came last, and since when (UTC ns)."""
    return (place.rollout.number, place.rollout.since) if place.rollout else (place.champion, place.since)
