"""Steps of a model's life as pure functions: what holds on a scope before, and after."""

from __future__ import annotations

from dataclasses import replace

from shopfloor.services.registry.waves import SHARES, is_last
from shopfloor.services.registry.words import Place, Refused, Rollout

_REMEMBERED = 10


def shadowed(place: Place, number: int) -> Place:
    """The version is scored and stored here, and never shown as advice."""
    if place.champion == number:
        raise Refused(f"Version {number} is the champion here: roll it back instead of making it a shadow.")
    clean = place.without(number)
    return replace(clean, shadows=(*clean.shadows, number))


def proposed(place: Place, number: int) -> Place:
    """A shadow waits for a named person to approve it; one that waited before is superseded."""
    superseded = place.proposed is not None and place.proposed != number
    return replace(retired(place, place.proposed or 0) if superseded else place, proposed=number)


def promoted(place: Place, number: int, now: int) -> Place:
    """The version speaks here; the champion before it stays ready for a rollback."""
    clean = place.without(number)
    before = clean.before if clean.champion is None else (*clean.before, clean.champion)[-_REMEMBERED:]
    return replace(clean, champion=number, since=now, before=tuple(n for n in before if n != number))


def retired(place: Place, number: int) -> Place:
    """The version is out of use here. Without a champion, that of a wider scope speaks."""
    clean = place.without(number)
    champion = None if clean.champion == number else clean.champion
    before = tuple(n for n in clean.before if n != number)
    return replace(clean, champion=champion, before=before, retired=(*clean.retired, number))


def rolled_back(place: Place, now: int, *, wider: bool) -> tuple[int, Place]:
    """The number that goes, and what holds then: the champion before it, or that of a wider scope if there is one."""
    if place.rollout is not None:
        return place.rollout.number, retired(place, place.rollout.number)
    if place.champion is None:
        raise Refused("There is no champion on this scope: name the scope of the one that shall go.")
    if not place.before and not wider:
        raise Refused("There was no champion before this one: there is nothing to roll back to; retire it instead.")
    gone = retired(place, place.champion)
    if not place.before:
        return place.champion, gone
    return place.champion, replace(gone, champion=place.before[-1], since=now, before=place.before[:-1])


def begun(place: Place, number: int, line: str, by: str, now: int) -> Place:
    """The version begins to spread: wave 0 is one line."""
    if place.rollout is not None:
        raise Refused(f"Version {place.rollout.number} is spreading here already: roll it back, or let it finish.")
    return replace(place.without(number), rollout=Rollout(number, 0, SHARES[0], line, now, by))


def next_wave(place: Place, now: int) -> Place:
    """The next wave of a rollout; after the last one the version is the champion of the whole scope."""
    rollout = place.rollout
    if rollout is None:
        raise Refused("Nothing spreads on this scope: begin a rollout first.")
    if is_last(rollout):
        return promoted(place, rollout.number, now)
    wave = rollout.wave + 1
    return replace(place, rollout=replace(rollout, wave=wave, share=SHARES[wave], since=now))
