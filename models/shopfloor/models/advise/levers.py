"""Which setpoints of an asset type move which features, and which signals follow from them.

A model judges features as they are. It can be asked about another setpoint only where it is known how all features
would move: with the setpoint itself. Where measured signals follow (power from the cutting speed), the answer would be
about a machine that does not exist, so such a setpoint is left out, with the sentence that says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from shopfloor.models.advise.counterfactual import narrowed
from shopfloor.models.advise.terms import Control
from shopfloor.models.features import Matrix
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.sealing.opened import Bundle


@dataclass(frozen=True, slots=True)
class Lever:
    """A setpoint: the features that move as much as it does, and what else follows from it."""

    tag: str
    moves: tuple[str, ...]
    follows: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the plant allows for a setpoint, in its unit; `step` is its smallest change."""

    low: float
    high: float
    step: float


LEVERS: Final[Mapping[str, tuple[Lever, ...]]] = {
    MACHINE: (
        Lever("setpoint.offset", ("setpoint.offset", "setpoint.offset since probe")),
        Lever("setpoint.speed", ("setpoint.speed",), "power, loads, vibration, temperature and the length of the cut"),
        Lever("setpoint.feed", ("setpoint.feed",), "power, loads, vibration and the length of the cut"),
        Lever("setpoint.tool_limit", ("setpoint.tool_limit",), "the lives of the next tools"),
    ),
    POT: (
        Lever("setpoint.voltage", ("setpoint.voltage",), "voltage, resistance and temperature"),
        Lever("setpoint.feed", ("setpoint.feed",), "the feed rate and the resistance"),
        Lever("setpoint.alf3", ("setpoint.alf3",), "the bath and its temperature"),
    ),
}


def controls(bundle: Bundle, row: Matrix, limits: Mapping[str, Limits]) -> tuple[list[Control], dict[str, str]]:
    """What may be moved for a row [f], and why each other setpoint may not. `limits` are those of writable tags."""
    features = bundle.manifest.features
    usable: list[Control] = []
    left_out: dict[str, str] = {}
    for lever in LEVERS.get(bundle.manifest.asset_type, ()):
        if lever.tag not in limits:
            left_out[lever.tag] = "The plant file does not give it as writable, with a range."
        elif why := _why_not(lever, features):
            left_out[lever.tag] = why
        else:
            allowed = limits[lever.tag]
            columns = tuple(features.index(name) for name in lever.moves if name in features)
            control = Control(lever.tag, allowed.low, allowed.high, columns, allowed.step)
            if why := _no_room(bundle, row, control):
                left_out[lever.tag] = why
            else:
                usable.append(control)
    return usable, left_out


def _why_not(lever: Lever, features: Sequence[str]) -> str:
    if lever.tag not in features:
        return "The model does not look at it."
    if lever.follows:
        return f"What it does shows in other signals ({lever.follows}): the model does not know how they would move."
    return ""


def _no_room(bundle: Bundle, row: Matrix, control: Control) -> str:
    first = control.columns[0]
    low, high = (float(bundle.arrays[name][first]) for name in ("hull low", "hull high"))
    if low == high:
        return f"It was {low:g} all the time the model learned from: what another value does is not known."
    if not np.isfinite(row[first]):
        return "Its value now is not known."
    inside = narrowed(bundle, row, control)
    if inside.low >= inside.high:
        return f"Its range in the plant file lies outside what the model has seen ({low:g} to {high:g})."
    return ""
