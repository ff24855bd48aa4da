"""Which names and targets a new bundle may have: scores of one name must be comparable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shopfloor.services.registry.words import Card, Refused, Version

_PROBABILITIES: Final = ("probability", "exceedance")


def fits(card: Card, firsts: Iterable[Version]) -> None:
    """Raise `Refused` where a name or a target belongs to another model: their scores could not be compared.

    `firsts` are the first versions of all names.
    """
    for version in firsts:
        held = version.card
        if (held.name == card.name) != (held.target == card.target):
            raise Refused(
                f"The model {held.name} judges {held.target}, this bundle is called {card.name} and judges"
                f" {card.target}: give it a name and a target of its own."
            )
        if held.name == card.name and held.classes != card.classes and "classes" in (held.kind, card.kind):
            raise Refused(
                f"{held.name} tells {', '.join(held.classes)} apart, this bundle {', '.join(card.classes)}:"
                " give it another name."
            )
        if held.name == card.name and _sort(held.kind) != _sort(card.kind):
            raise Refused(f"{held.name} says a {held.kind}, this bundle says a {card.kind}: give it another name.")


def _sort(kind: str) -> str:
    return "probability" if kind in _PROBABILITIES else kind
