"""What alarms and models said of a machine when it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from shopfloor.services.alarms import Alarms, Wanted
from shopfloor.services.historian.options import HOUR, NS
from shopfloor.services.historian.selector import Selector
from shopfloor.services.production.circumstances import Circumstances, Noted

_AROUND: Final = 60 * NS
_MOST: Final = 1_000
Predicted = Callable[[str], Sequence[Mapping[str, Any]]]


def noted_at(alarms: Alarms, predicted: Predicted, clock: Callable[[], int]) -> Noted:
    """The most urgent alarm of an asset around a moment (UTC ns), and the first reason of its newest prediction.

    Of stops that came from history nothing is asked: alarms are raised, and models asked, by what happens now.
    """

    def noted(asset: str, moment: int) -> Circumstances:
        if clock() - moment > HOUR:
            return Circumstances()
        wanted = Wanted(assets=[Selector(asset)])
        there = alarms.journal(moment - _AROUND, moment + _AROUND, wanted, 0, _MOST)
        urgent = min(there, key=lambda one: one.condition.priority, default=None)
        if urgent is None:
            return Circumstances(predicted=_reason(predicted(asset)))
        first = any(alarm.id == urgent.alarm and alarm.first_out for alarm in alarms.open())
        return Circumstances(alarm=urgent.condition.title, first=first, predicted=_reason(predicted(asset)))

    return noted


def _reason(predictions: Sequence[Mapping[str, Any]]) -> str:
    """The tag of the strongest reason of the first prediction that is not as usual.

    >>> _reason([{"status": "ok", "reasons": [{"tag": "a"}]}, {"status": "watch", "reasons": [{"tag": "x/power"}]}])
    'power'
    """
    odd = (one for one in predictions if one.get("status") not in {"ok", "unknown"} and one.get("reasons"))
    return next((str(one["reasons"][0]["tag"]).rsplit("/", 1)[-1] for one in odd), "")
