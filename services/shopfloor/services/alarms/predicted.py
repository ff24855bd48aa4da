"""Model alarms: a prediction that asks for action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
        rows = {f"model:{p['asset']}:{p['target']}": p for p in predictions}
        act = {key: self._condition(key, p) for key, p in rows.items() if p["status"] == "act"}
        unknown = {key for key, p in rows.items() if p["status"] == "unknown"}
        return self._hold.see(act, now, unknown)

    def _condition(self, key: str, prediction: Mapping[str, Any]) -> Condition:
        asset, target = str(prediction["asset"]), str(prediction["target"])
        reasons = prediction.get("reasons") or ()
        numbers = {k: prediction[k] for k in ("value", "low", "high") if prediction.get(k) is not None}
        return Condition(
            key=key,
            kind=AlarmKind.MODEL,
            code=target,
            priority=PRIORITY.get(target, 3),
            title=f"{prediction.get('title') or target}: {self._titles.get(asset, asset)}",
            sentence=str(prediction.get("sentence", "")),
            why=" ".join(str(reason["sentence"]) for reason in reasons[:3]),
            advice=str(prediction.get("advice") or ""),
            asset=asset,
            tag=next((str(reason["tag"]) for reason in reasons if reason.get("tag")), None),
            value=numbers.get("value"),
            unit=str(prediction.get("unit") or ""),
            values={**numbers, "asset": self._titles.get(asset, asset)},
        )
