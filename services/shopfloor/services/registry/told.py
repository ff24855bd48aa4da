"""Truths that people tell of windows, in the terms of a model: a number, a class by its name, or whether it was so."""

from __future__ import annotations

import math
from typing import Final

from shopfloor.services.registry.scores import Label
from shopfloor.services.registry.words import Card, Refused

_YES_OR_NO: Final = ("probability", "exceedance", "novelty", "distance")


def span_of(card: Card, low: float | None, high: float | None, truth: str) -> tuple[float, float]:
    """The interval of a truth. `truth` is a class by its name; no `high` means at least `low`.

    What a model of this kind could never say raises `Refused`.

    >>> card = Card("wear", "wear", "Wear", "classes", "", 0.9, 0, "ready", classes=("none", "some", "much"))
    >>> span_of(card, None, None, "some"), span_of(card, 2.0, 2.0, "")
    ((1.0, 1.0), (2.0, 2.0))
    """
    if truth:
        if truth not in card.classes:
            known = ", ".join(card.classes) or "none: give a number as low and high"
            raise Refused(f"{truth!r:.100} is no class of {card.name}: its classes are {known}.")
        return float(card.classes.index(truth)), float(card.classes.index(truth))
    if low is None or not math.isfinite(low):
        raise Refused(f"A truth of {card.name} is a number: give low and high, or the name of its class as truth.")
    if card.kind in _YES_OR_NO and (low not in (0.0, 1.0) or high != low):
        raise Refused(f"{card.name} says whether something is so: give low and high as 1 (it was) or 0 (it was not).")
    if card.kind == "classes" and (low not in range(len(card.classes)) or high != low):
        raise Refused(f"{card.name} says one of {', '.join(card.classes)}: give the name as truth.")
    if high is not None and not high >= low:
        raise Refused(f"A truth of {card.name} lies from {low:g} up to {high:g}: give low not above high.")
    return low, math.inf if high is None else high


def label_of(
    card: Card, asset: str, span: tuple[float, float], known: int, part: str, start: int, end: int
) -> Label:  # fmt: skip
    """A label of a part, or of the windows that end within [start, end] UTC ns; of neither raises `Refused`."""
    if not part and not 0 < start <= end:
        raise Refused(f"A truth of {card.name} on {asset:.200} names no windows: give a part, or start and end.")
    return Label(card.name, asset, *span, known, part, start, end)
