"""Why: groups of features that belong together, and the sentence that says what the strongest of them shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from shopfloor.models.advise.explain import contributions
from shopfloor.models.bundle import Bundle
from shopfloor.models.features import PART_FEATURES, POT_FEATURES, Matrix
from shopfloor.plant.contracts import Reason

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Group:
    """Features that are explained together: their common beginnings, the tag to look at, and the sentence."""

    code: str
    tag: str
    starts: tuple[str, ...]
    sentence: Callable[[Values], str]
    values: tuple[str, ...]


def _ratio(what: str, feature: str) -> Callable[[Values], str]:
    def sentence(v: Values) -> str:
        share = v[feature] - 1.0
        if np.isnan(share):
            return f"{what} is {v[feature.replace(' ratio', ' now')]:.2f}; this tool's start was not seen."
        if abs(share) < 0.02:
            return f"{what} is as at this tool's start."
        return f"{what} is {abs(share):.0%} {'above' if share >= 0 else 'below'} this tool's start."

    return sentence


def _tool_age(v: Values) -> str:
    lives = f"; the last tools here lived {v['life mean']:.0f} min" if not np.isnan(v["life mean"]) else ""
    return f"The tool has cut for {v['minutes']:.0f} min{lives}."


def _probe(v: Values) -> str:
    if np.isnan(v["probe dimension"]):
        return "No part of this machine was probed yet."
    ago = f", {v['probe parts']:.0f} parts ago" if not np.isnan(v["probe parts"]) else ""
    return f"The last probe{ago}, read {v['probe dimension']:+.1f} um."


def _material(v: Values) -> str:
    step = v["lot step"] - 1.0
    if np.isnan(step):
        return f"The material lot began {v['lot parts']:.0f} parts ago."
    return f"Power stepped by {step:+.0%} with the material lot, {v['lot parts']:.0f} parts ago."


def _trend(v: Values) -> str:
    way = "rises" if v["resistance slope 20"] >= 0 else "falls"
    return f"Resistance {way} by {abs(v['resistance slope 20']) * 60:.2f} uOhm an hour over the last 20 minutes."


def _away(what: str, feature: str, unit: str, decimals: int = 2) -> Callable[[Values], str]:
    def sentence(v: Values) -> str:
        own, line = v[f"{feature} own"], v[f"{feature} neighbours"]
        beside = "above" if line >= 0 else "below"
        return (
            f"{what} is {own:+.{decimals}f} {unit} from its own day, {abs(line):.{decimals}f} {beside} the other pots."
        )

    return sentence


def _feed(v: Values) -> str:
    if np.isnan(v["feed deficit 3"]):
        return "The alumina feed is not known."
    return f"In the last 3 hours the pot got {v['feed deficit 3']:+.0f} kg alumina against its own day."


def _events(v: Values) -> str:
    names = {"TAPPING": "tapping", "ANODE_CHANGE": "anode change", "ANODE_EFFECT": "anode effect"}
    name = min(names, key=lambda n: np.nan_to_num(v[f"minutes since {n}"], nan=np.inf))
    since = v[f"minutes since {name}"]
    return f"The last {names[name]} was {since:.0f} min ago." if since < 1440 else "No special state for a day."


_MACHINE: Final = (
    Group("power", "spindle.power", ("spindle.power", "spindle.torque", "spindle.load", "room", "power at"),
          _ratio("Spindle power", "spindle.power ratio"), ("spindle.power now", "spindle.power ratio")),
    Group("axis-load", "axis.z.load", ("axis.",), _ratio("Z axis load", "axis.z.load ratio"), ("axis.z.load ratio",)),
    Group("vibration", "vibration.rms", ("vibration.",), _ratio("Vibration", "vibration.rms ratio"),
          ("vibration.rms now", "vibration.rms ratio")),
    Group("tool-age", "tool.minutes", ("minutes", "life", "setpoint.tool_limit"), _tool_age, ("minutes", "life mean")),
    Group("temperature", "spindle.temperature", ("spindle.temperature", "bearing.", "temperature", "coolant.temp"),
          lambda v: f"The spindle is at {v['spindle.temperature']:.1f} °C.", ("spindle.temperature",)),
    Group("coolant", "coolant.concentration", ("coolant.flow", "coolant.conc"),
          lambda v: f"Coolant: {v['coolant.flow']:.1f} l/min at {v['coolant.concentration']:.1f} %.",
          ("coolant.flow", "coolant.concentration")),
    Group("setpoint", "setpoint.speed", ("setpoint.speed", "setpoint.feed", "setpoint.offset"),
          lambda v: f"Set to {v['setpoint.speed']:.0f} m/min, offset {v['setpoint.offset']:+.1f} um.",
          ("setpoint.speed", "setpoint.offset")),
    Group("material", "material.lot", ("lot", "program"), _material, ("lot step", "lot parts")),
    Group("probe", "probe.dimension", ("probe",), _probe, ("probe dimension", "probe parts")),
    Group("pace", "cycle.time", ("cut", "pause", "busy"),
          lambda v: f"The machine was cutting {v['busy']:.0%} of the time lately.", ("busy",)),
)  # fmt: skip

_POT: Final = (
    Group("resistance-trend", "resistance", ("resistance slope", "resistance bend"), _trend, ("resistance slope 20",)),
    Group("resistance", "resistance",
          ("resistance level", "resistance off", "resistance own", "resistance neigh", "resistance spread"),
          _away("Resistance", "resistance", "uOhm"), ("resistance own", "resistance neighbours")),
    Group("feed", "feed.rate", ("feed", "UNDERFEED", "OVERFEED", "minutes since UNDER", "minutes since OVER"),
          _feed, ("feed deficit 3", "feed efficiency")),
    Group("noise", "noise", ("noise",), _away("Voltage noise", "noise", "mV", 1), ("noise own", "noise neighbours")),
    Group("voltage", "voltage", ("voltage", "setpoint.voltage", "beam", "current"), _away("Voltage", "voltage", "V", 3),
          ("voltage own", "voltage off")),
    Group("heat", "bath.temperature", ("bath", "duct", "metal", "alf3", "setpoint.alf3", "setpoint.feed"),
          lambda v: f"The last bath temperature was {v['bath.temperature']:.0f} °C.", ("bath.temperature",)),
    Group("events", "state", ("minutes since",), _events, ()),
)  # fmt: skip


def groups(features: Sequence[str]) -> tuple[Group, ...]:
    """The groups of an asset type, known by its features."""
    return _MACHINE if tuple(features) == PART_FEATURES else _POT


def columns(features: Sequence[str], several: Sequence[Group]) -> list[list[int]]:
    """Columns of each group; a feature belongs to the first group that claims the longest beginning of its name."""
    found: list[list[int]] = [[] for _ in several]
    for column, name in enumerate(features):
        claims = [max((len(s) for s in g.starts if name.startswith(s)), default=0) for g in several]
        if max(claims):
            found[int(np.argmax(claims))].append(column)
    return found


def explain(
    bundle: Bundle, x: Matrix, typical: Matrix, top: int = 3, several: Sequence[Group] | None = None
) -> list[tuple[Reason, ...]]:
    """The strongest reasons of each row [n, f], strongest first: what moved the value away from `typical` [n, f].

    `several` are the groups of features, those of the bundle's asset type where they are left out.
    """
    features = bundle.manifest.features
    several = groups(features) if several is None else several
    moved = contributions(bundle, x, typical[:, None], columns(features, several))
    return [_of_row(several, moved[i], dict(zip(features, x[i].tolist(), strict=True)), top) for i in range(len(x))]


def told(
    bundle: Bundle, row: Matrix, shares: np.ndarray, several: Sequence[Group] | None = None
) -> list[tuple[Reason, list[int]]]:
    """Every group of a row [f], strongest first: its sentence and its columns. `shares` [f] are the contributions."""
    features = bundle.manifest.features
    several = groups(features) if several is None else several
    values = dict(zip(features, row.tolist(), strict=True))
    found = columns(features, several)
    moved = [float(shares[mine].sum()) for mine in found]
    total = sum(map(abs, moved)) or 1.0
    order = sorted(range(len(several)), key=lambda i: -abs(moved[i]))
    return [(_reason(several[i], moved[i], total, values), found[i]) for i in order]


def _of_row(several: Sequence[Group], moved: np.ndarray, values: Values, top: int) -> tuple[Reason, ...]:
    total = float(np.abs(moved).sum())
    order = np.argsort(-np.abs(moved), kind="stable")[:top]
    told = tuple(_reason(several[i], float(moved[i]), total, values) for i in order if abs(moved[i]) > 0.02 * total > 0)
    return told or (Reason("usual", "No signal stands out from what is usual here.", several[0].tag),)


def _reason(group: Group, moved: float, total: float, values: Values) -> Reason:
    said = {name: round(values[name], 4) for name in group.values if not np.isnan(values[name])}
    if any(np.isnan(values[name]) for name in group.values) and group.code in ("coolant", "heat", "setpoint", "pace"):
        return Reason(group.code, f"A value of {group.tag} is missing.", group.tag, moved / total, said)
    return Reason(group.code, group.sentence(values), group.tag, round(moved / total, 3), said)


__all__ = ["POT_FEATURES", "Group", "columns", "explain", "groups", "told"]
