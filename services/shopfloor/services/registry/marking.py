"""Somebody says of a prediction that it was right or wrong: which window that is, and what was true then."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from shopfloor.services.registry.marks import Mark
from shopfloor.services.registry.registry import Registry
from shopfloor.services.registry.scores import Prediction
from shopfloor.services.registry.told import span_of
from shopfloor.services.registry.words import Card, ModelUnknown, Refused, person

_NEAR: Final = 150 * 10**9
"""Of pots every second minute is kept: a prediction in between is marked by the one before it."""
_MICROSECOND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says: whether it was right, and the truth as in `told.span_of`, where they know it."""

    is_right: bool
    by: str
    low: float | None = None
    high: float | None = None
    truth: str = ""
    note: str = ""


def mark(registry: Registry, name: str, asset: str, moment: int, word: Word) -> Mark:
    """Keep a word on the prediction of a moment (UTC ns), and its truth as a label.

    No kept prediction raises `ModelUnknown`; a truth that is missing or impossible, or nobody's name, `Refused`.
    """
    card = registry.state.version(name, 1).card
    said = predicted(registry, name, asset, moment)
    low, high = truth_of(card, said, word)
    start, end = (0, 0) if said.part else (said.window_end, said.window_end)
    return registry.scores.marks.add(
        Mark(
            0, name, said.number, asset, said.part, start, end, said.window_end, said.value, said.low, said.high,
            word.is_right, low, high, person(word.by), word.note.strip(), registry.clock(),
        )
    )  # fmt: skip


def take_back(registry: Registry, number: int, by: str) -> Mark:
    """Take a mark back; one that is not there raises `ModelUnknown`."""
    found = registry.scores.marks.find(number)
    if found is None or found.back is not None:
        raise ModelUnknown(f"There is no mark {number} that stands: GET marks lists those there are.")
    return registry.scores.marks.take_back(found, person(by), registry.clock())


def predicted(registry: Registry, name: str, asset: str, moment: int) -> Prediction:
    """The kept prediction that was shown at a moment (UTC ns)."""
    versions = registry.state.versions.get(name, ())
    first, last = moment - _NEAR, moment + _MICROSECOND
    near = (registry.scores.recorded(name, v.number, asset, first, last, 3) for v in versions)
    shown = [one for several in near for one in several if one.live and one.value is not None]
    if not shown:
        raise ModelUnknown(
            f"No prediction of {name} on {asset:.200} is kept of that moment: they are kept for 90 days."
        )
    return max(shown, key=lambda one: one.window_end)


def truth_of(card: Card, said: Prediction, word: Word) -> tuple[float, float]:
    """The interval of the truth. What is right without a number lies where the prediction said.

    >>> card = Card("life", "tool_life", "Tool life", "regression", "min", 0.9, 0, "ready")
    >>> said = Prediction("life", 1, "", "m", 0, True, 20.0, 12.0, 30.0, 0.0)
    >>> truth_of(card, said, Word(True, "Anna")), truth_of(card, said, Word(False, "Anna", 5.0, 5.0))
    ((12.0, 30.0), (5.0, 5.0))
    """
    if word.low is not None or word.truth:
        return span_of(card, word.low, word.high, word.truth)
    if word.is_right and said.value is not None:
        if card.kind == "classes":
            return said.value, said.value
        if card.kind == "regression":
            return _or(said.low, said.value), _or(said.high, said.value)
    raise Refused(_missing(card))


def _or(end: float | None, value: float) -> float:
    return value if end is None or math.isnan(end) else end


def _missing(card: Card) -> str:
    if card.kind == "classes":
        return f"Say which it was: {', '.join(card.classes)}, as truth."
    if card.kind == "regression":
        unit = card.unit or "its unit"
        return f"Say what it really was, in {unit}: low and high, or low alone for at least so much."
    return f"Say whether it was so: {card.name} takes low and high as 1 (it was) or 0 (it was not)."
