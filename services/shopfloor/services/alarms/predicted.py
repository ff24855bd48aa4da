"""Model alarms: a prediction that asks for action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from shopfloor.services.alarms.alarm import Change, Condition
from shopfloor.services.alarms.hold import Hold
from shopfloor.services.alarms.state import AlarmKind

PRIORITY: Final = {"anode_effect": 1, "tool_life": 2, "out_of_tolerance": 2, "pot_unusual": 3, "dimension": 3}
ON_S: Final = 2.0
OFF_S: Final = 30.0


class ModelWatch:
    """Raises when a prediction's status is "act", returns when it was something else for half a minute.

    A prediction that is unknown (the asset idles, values are missing) changes nothing.
    """

    def __init__(self, titles: Mapping[str, str], raised: Iterable[str] = ()) -> None:
        self._titles = titles
        self._hold = Hold(ON_S, OFF_S, raised)

    def judge(self, predictions: Iterable[Mapping[str, Any]], now: int) -> Iterator[Change]:
        """What changed, given the predictions of all assets (as the API shows them)."""
        rows = {_key(p): p for p in predictions}
        act = {key: self._condition(p) for key, p in rows.items() if p["status"] == "act"}
        unknown = {key for key, p in rows.items() if p["status"] == "unknown"}
        return self._hold.see(act, now, unknown)

    def _condition(self, prediction: Mapping[str, Any]) -> Condition:
        reasons = prediction.get("reasons") or ()
        numbers = {k: prediction[k] for k in ("value", "low", "high") if prediction.get(k) is not None}
        design = designed(prediction, self._titles)
        return replace(
            design,
            sentence=str(prediction.get("sentence", "")),
            why=" ".join(str(reason["sentence"]) for reason in reasons[:3]),
            advice=str(prediction.get("advice") or ""),
            tag=next((str(reason["tag"]) for reason in reasons if reason.get("tag")), None),
            value=numbers.get("value"),
            values={**numbers, **design.values},
        )


def designed(prediction: Mapping[str, Any], titles: Mapping[str, str]) -> Condition:
    """What is known of the alarm of a prediction before it is raised; `titles` are those of assets."""
    asset, target = str(prediction["asset"]), str(prediction["target"])
    return Condition(
        key=_key(prediction),
        kind=AlarmKind.MODEL,
        code=target,
        priority=PRIORITY.get(target, 3),
        title=f"{prediction.get('title') or target}: {titles.get(asset, asset)}",
        sentence="",
        asset=asset,
        unit=str(prediction.get("unit") or ""),
        values={"asset": titles.get(asset, asset)},
    )


def _key(prediction: Mapping[str, Any]) -> str:
    return f"model:{prediction['asset']}:{prediction['target']}"
