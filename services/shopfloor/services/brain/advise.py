"""Why a model said what it said, feature by feature, and which setpoint would help. It proposes; a person writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from shopfloor.models.advise.counterfactual import Found, Goal, NoneFound, counterfactual
from shopfloor.models.advise.explain import explain
from shopfloor.models.advise.levers import Limits, controls
from shopfloor.models.bundle import Bundle
from shopfloor.models.features import Matrix
from shopfloor.models.parts import NEAR_END, TOLERANCE
from shopfloor.models.reasons import Group, told
from shopfloor.models.scorer import score
from shopfloor.plant.errors import QuestionError
from shopfloor.plant.tag import Tag
from shopfloor.services.brain.judge import WATCH_OUT, typical_of
from shopfloor.services.brain.serving import Opened
from shopfloor.services.brain.streams.levels import USUAL_ACT

_MEASURES: Final = {
    "regression": "the value",
    "exceedance": "how far beyond the limit, in spreads",
    "probability": "the probability before calibration",
    "distance": "the distance from normal, in shares of that at which to look",
    "classes": "the score of the last class",
    "novelty": "the distance from normal, in shares of that at which to look",
}
_CAUTION: Final = (
    "The model knows what went together, not what causes what: change one step, look at the next predictions, go on. "
    "A person writes a setpoint, through POST gateways/{gateway}/setpoints."
)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What one prediction was made of: the version that spoke, the asset, its features [f], the moment (UTC ns).

    `groups` are those of its features, where they are not the ones of its asset type.
    """

    live: Opened
    asset: str
    row: Matrix
    time: int
    groups: tuple[Group, ...] | None = None

    def facts(self) -> dict[str, Any]:
        """Which prediction it is, by which version."""
        card = self.live.bundle.manifest
        return {
            "asset": self.asset, "target": card.target, "title": card.title, "time": self.time / 1e6,
            "unit": card.unit, "model": card.name, "version": self.live.number, "bundle": card.sha,
        }  # fmt: skip


def explanation(window: Window) -> dict[str, Any]:
    """What each tag and each feature added, against what is usual for the asset; the parts add up to the whole."""
    bundle, row = window.live.bundle, window.row
    usual = typical_of(bundle, [window.asset])
    said = explain(bundle, row, usual)
    names = bundle.manifest.features
    groups = [
        {
            "code": reason.code,
            "tag": reason.tag,
            "sentence": reason.sentence,
            "contribution": float(said.features[columns].sum()),
            "features": [
                {
                    "name": names[i],
                    "value": float(row[i]),
                    "usual": float(usual[0, i]),
                    "contribution": float(said.features[i]),
                }
                for i in columns
            ],
        }
        for reason, columns in told(bundle, row, said.features, window.groups)
    ]
    return {
        **window.facts(), "measure": _MEASURES[bundle.manifest.kind], "value": said.value, "usual": said.base,
        "gap": said.gap, "groups": groups,
    }  # fmt: skip


def advice(window: Window, tags: Iterable[Tag], low: float | None, high: float | None) -> dict[str, Any]:
    """Which setpoints, where, would bring the interval inside [low, high]; without both, to where nobody would act."""
    bundle, row = window.live.bundle, window.row
    if bundle.manifest.kind == "classes":
        raise QuestionError(f"{bundle.manifest.title} tells classes apart: no number could be brought inside a goal.")
    known = {tag.name: tag for tag in tags}
    usable, left_out = controls(bundle, row, _limits(known.values()))
    goal = _goal(bundle) if low is None and high is None else Goal(*_ends(low, high))
    found = counterfactual(bundle, row, usable, goal)
    now = score(bundle, row[None])
    return {
        **window.facts(),
        "coverage": bundle.manifest.coverage,
        "goal": {"low": goal.low, "high": goal.high},
        "now": {"value": float(now.value[0]), "low": float(now.low[0]), "high": float(now.high[0])},
        "found": isinstance(found, Found),
        "sentence": _sentence(found, bool(usable), known, bundle.manifest.unit),
        "changes": _changes(window.asset, found, known),
        "promised": {"low": found.low, "high": found.high} if isinstance(found, Found) else None,
        "tried": found.tried,
        "left_out": [{"tag": f"{window.asset}/{name}", "sentence": why} for name, why in left_out.items()],
        "caution": _CAUTION,
    }


def _limits(tags: Iterable[Tag]) -> dict[str, Limits]:
    return {
        tag.name: Limits(tag.range.low, tag.range.high, 10.0**-tag.decimals)
        for tag in tags
        if tag.writable and tag.range is not None
    }


def _ends(low: float | None, high: float | None) -> tuple[float, float]:
    return -np.inf if low is None else low, np.inf if high is None else high


def _goal(bundle: Bundle) -> Goal:
    """Where the words of a prediction would be "ok"."""
    match bundle.manifest.target:
        case "dimension":
            return Goal(-TOLERANCE, TOLERANCE)
        case "tool_life":
            return Goal(low=NEAR_END)
        case "out_of_tolerance":
            return Goal(high=WATCH_OUT)
        case _:
            return _below(bundle)


def _below(bundle: Bundle) -> Goal:
    """Below the first level at which a bundle says that something is to be watched, or done."""
    settings = bundle.manifest.settings
    high = settings.get("watch", settings.get("act", USUAL_ACT.get(bundle.manifest.kind)))
    low = settings.get("watch_below", settings.get("act_below"))
    if high is None and low is None:
        raise QuestionError(f"{bundle.manifest.title} names no level to act at: give low, high or both.")
    return Goal(*_ends(low, high))


def _changes(asset: str, found: Found | NoneFound, tags: Mapping[str, Tag]) -> list[dict[str, Any]]:
    return [
        {
            "tag": f"{asset}/{change.tag}",
            "title": tags[change.tag].title,
            "unit": tags[change.tag].unit,
            "before": change.before,
            "after": round(change.after, tags[change.tag].decimals),
        }
        for change in (found.changes if isinstance(found, Found) else ())
    ]


def _sentence(found: Found | NoneFound, usable: bool, tags: Mapping[str, Tag], unit: str) -> str:
    if isinstance(found, Found):
        if not found.changes:
            return "It is within the goal already: nothing needs to change."
        moves = (
            f"{tags[c.tag].title or c.tag} from {c.before:.{tags[c.tag].decimals}f}"
            f" to {c.after:.{tags[c.tag].decimals}f} {tags[c.tag].unit}".rstrip()
            for c in found.changes
        )
        return f"{' and '.join(moves)} would bring it to {found.low:.3g} to {found.high:.3g} {unit}".rstrip() + "."
    if not usable:
        return "None found: this model can judge no other value of any setpoint here."
    if not np.isfinite(found.missed):
        return "None found: no other setting lies inside the limits and what the model has seen."
    if not found.missed:
        return f"None found: some of the {found.tried} settings tried would help, but not all of those close to them."
    missed = f"{found.missed:.3g} {unit}".rstrip()
    return f"None found: of {found.tried} settings tried the best one misses the goal by {missed}."
