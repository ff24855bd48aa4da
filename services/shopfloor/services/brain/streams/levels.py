"""From which value on a person should act, or watch; the same live and in replay."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bundle import Manifest
from shopfloor.models.parts import NEAR_END

USUAL_ACT: Final = {"novelty": 1.0, "distance": 1.0, "probability": 0.5, "exceedance": 0.5}
"""Where a bundle says nothing else: beyond its threshold, more likely than not."""


def reached(card: Manifest, name: str, value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether values [n] reach the level `act` or `watch` of a bundle: `act`, and `act_below` from the other side."""
    above = card.settings.get(name, USUAL_ACT.get(card.kind) if name == "act" else None)
    below = card.settings.get(f"{name}_below")
    found = np.zeros(len(value), bool)
    if above is not None:
        found |= value >= above
    if below is not None:
        found |= value <= below
    return found


def levels_of(card: Manifest) -> dict[str, float | None]:
    """The values from which on, upwards (`above`) and downwards (`below`), a model makes people act; None: never."""
    below = card.settings.get("act_below", NEAR_END if card.target == "tool_life" else None)
    return {"above": card.settings.get("act", USUAL_ACT.get(card.kind)), "below": below}
