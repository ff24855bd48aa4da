"""Which alarm a machine had when it stopped: the most urgent one of the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shopfloor.services.alarms import Alarms, Wanted
from shopfloor.services.historian.options import HOUR, NS
from shopfloor.services.historian.selector import Selector

_AROUND: Final = 60 * NS
_MOST: Final = 1_000


def alarm_at(alarms: Alarms, clock: Callable[[], int]) -> Callable[[str, int], str]:
    """The title of the most urgent alarm of an asset around a moment (UTC ns), or nothing.

    Of stops that came from history nothing is asked: alarms are raised by what happens now.
    """

    def found(asset: str, moment: int) -> str:
        if clock() - moment > HOUR:
            return ""
        wanted = Wanted(assets=[Selector(asset)])
        there = alarms.journal(moment - _AROUND, moment + _AROUND, wanted, 0, _MOST)
        return min(there, key=lambda one: one.condition.priority).condition.title if there else ""

    return found
