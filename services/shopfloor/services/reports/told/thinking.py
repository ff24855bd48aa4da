"""What models said in the time of a report, and how far what they see is from their training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.reports.document import Drift, Predicted
from shopfloor.services.reports.scope import Scope
from shopfloor.services.reports.told.services import Services

_URGENT: Final = {"act": 0, "watch": 1, "unknown": 2, "ok": 3}


def predictions(of: Scope[Services]) -> list[Predicted]:
    """Every target of every asset, the most urgent first."""
    said = [one for one in of.services.brain.predictions() if of.holds(str(one["asset"]))]
    said.sort(key=lambda one: (_URGENT.get(str(one["status"]), 2), str(one["asset"])))
    return [_predicted(of, one) for one in said]


def drift(of: Scope[Services]) -> tuple[Drift, ...]:
    """The versions that judge assets of the place; one whose drift cannot be told says why."""
    types = {of.services.catalog.assets[path].type for path in of.assets}
    cards = {(str(one["name"]), int(one["version"])) for one in of.services.brain.models() if _judges(one, types)}
    return tuple(Drift(name, number, _drift(of, name, number)) for name, number in sorted(cards))


def _predicted(of: Scope[Services], one: Mapping[str, Any]) -> Predicted:
    past = of.services.brain.history(str(one["asset"]), str(one["target"]), of.start, of.end)
    values = [value for value in past["value"] if value is not None]
    newest = len(past["time"]) - 1
    value, low, high = ((past[name][newest] if newest >= 0 else None) for name in ("value", "low", "high"))
    return Predicted(
        of.title(str(one["asset"])), str(one["title"]), value, low, high, min(values, default=None),
        max(values, default=None), str(one["unit"]), str(one["status"]), str(one["sentence"]),
    )  # fmt: skip


def _judges(card: Mapping[str, Any], types: set[str]) -> bool:
    return "version" in card and card.get("asset_type") in types


def _drift(of: Scope[Services], name: str, number: int) -> str:
    try:
        return str(of.services.brain.drift(name, number).get("sentence", ""))
    except ShopfloorError as problem:
        return str(problem)
