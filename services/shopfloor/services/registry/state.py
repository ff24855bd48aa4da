"""What holds now: the fold of all events. Nothing else is remembered, so nothing else can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from shopfloor.services.registry.audit import Entry
from shopfloor.services.registry.scope import matching
from shopfloor.services.registry.waves import reaches
from shopfloor.services.registry.words import Card, Deployment, Event, ModelUnknown, Place, Version


@dataclass(slots=True)
class State:
    """Versions by name, in order of their numbers; places by name and scope; the events themselves."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    places: dict[str, dict[str, Place]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def take(self, entry: Entry) -> Event:
        """Take in the next event."""
        sequence, body = entry
        event = Event(sequence, **body)
        if event.what == "submitted" and event.detail is not None:
            said = event.detail["card"]
            card = Card(**{**said, "classes": tuple(said.get("classes", ()))})
            version = Version(event.number, event.detail["sha"], event.by, event.time, card)
            self.versions.setdefault(event.name, []).append(version)
        if event.scope and event.after is not None:
            places = self.places.get(event.name, {})
            # A new dictionary: a reader in another thread goes on with the one it has.
            self.places[event.name] = {**places, event.scope: Place.of(event.after)}
        self.events.append(event)
        return event

    def version(self, name: str, number: int) -> Version:
        """A version by its number."""
        several = self.versions.get(name)
        if not several:
            known = ", ".join(sorted(self.versions)) or "none yet"
            raise ModelUnknown(f"There is no model {name[:80]!r} in the registry: there are {known}.")
        if not 1 <= number <= len(several):
            raise ModelUnknown(f"{name} has no version {number}: it has 1 to {len(several)}.")
        return several[number - 1]

    def of(self, name: str, number: int) -> list[Event]:
        """The events of a version."""
        return [event for event in self.events if event.name == name and event.number == number]

    def place(self, name: str, scope: str) -> Place:
        """What holds for a model on a scope."""
        return self.places.get(name, {}).get(scope, Place())

    def resolve(self, name: str, asset: str) -> Deployment:
        """Who serves an asset: the champion of the most specific scope that has one, and every shadow around it."""
        places = self.places.get(name, {})
        scopes = matching(places, asset)
        shadows: list[int] = []
        live, holds = None, ""
        for scope in scopes:
            place = places[scope]
            speaks, compared = _of_place(place, name, asset)
            shadows += compared
            if live is None and speaks is not None:
                live, holds = speaks, scope
        numbers = dict.fromkeys(n for n in shadows if n != live)
        version = self.version(name, live) if live is not None else None
        return Deployment(version, holds, tuple(self.version(name, n) for n in numbers))


def _of_place(place: Place, name: str, asset: str) -> tuple[int | None, list[int]]:
    """Who speaks and who is compared on an asset, by one place. Under a rollout the champion is compared."""
    rollout = place.rollout
    shadows = list(place.shadows)
    if rollout is None:
        return place.champion, shadows
    if reaches(rollout, name, asset):
        return rollout.number, [n for n in [place.champion, *shadows] if n is not None]
    return place.champion, [rollout.number, *shadows]


def submission(sha: str, card: Card) -> Mapping[str, Any]:
    """The detail of the event that submits a bundle."""
    return {"sha": sha, "card": asdict(card)}
