"""What pages of maintenance show, computed once for all that ask: a row for each asset, and counts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.services.historian.options import NS
from shopfloor.services.maintenance.maintenance import Maintenance
from shopfloor.services.maintenance.outlook import DUES, Outlook
from shopfloor.services.registry import Card

AGE: Final = 10 * NS
"""So long one answer is good for everybody."""
LIKELY: Final = 0.5
_TREND: Final = 12 * 3_600 * NS
_POINTS: Final = 40


@dataclass(frozen=True, slots=True)
class Row:
    """An asset: what is most urgent at it, and what else is predicted there."""

    first: Outlook
    also: tuple[Outlook, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Everything at one moment: `time` in UTC ns, rows by urgency, changes in UTC ns and shares by asset."""

    time: int
    rows: Sequence[Row]
    shadows: Sequence[tuple[str, Card, int]]
    changed: Mapping[str, int]
    shares: Mapping[str, float]
    silent: Sequence[str]

    def below(self, place: str) -> list[Row]:
        """The rows at or below a place; all of them without one."""
        return [row for row in self.rows if within(str(row.first.said["asset"]), place)]


@dataclass(slots=True)
class Boards:
    """The board of now, made anew when it is ten seconds old. Any thread may ask.

    Courses of predictions are read again only after the brain said something new.
    """

    maintenance: Maintenance
    _board: Board | None = None
    _trends: dict[tuple[str, str], tuple[float, dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> Board:
        """The newest board; who asks meanwhile waits for the same one."""
        with self._lock:
            time = self.maintenance.clock()
            if self._board is None or not 0 <= time - self._board.time < AGE:
                self._board = _made(self.maintenance, time)
            return self._board

    def trend(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """How a prediction went in the twelve hours up to it, in columns."""
        asset, target, time = str(said["asset"]), str(said["target"]), float(said["time"])
        known = self._trends.get((asset, target))
        if known is None or known[0] != time:
            end = self.maintenance.clock()
            past = self.maintenance.brain.history(asset, target, end - _TREND, end + 1)
            known = self._trends[asset, target] = time, thinned(past)
        return known[1]


def _made(maintenance: Maintenance, time: int) -> Board:
    rows = by_asset(maintenance.outlook())
    shadows = maintenance.in_shadow()
    seen = {row.first.said["asset"] for row in rows} | {asset for asset, _, _ in shadows}
    silent = [asset for asset in maintenance.changes.parts if asset not in seen]
    return Board(time, rows, shadows, maintenance.changes.last(time), maintenance.shares(), silent)


def by_asset(several: Iterable[Outlook]) -> list[Row]:
    """One row for each asset, in the order in which its most urgent prediction comes."""
    found: dict[str, list[Outlook]] = {}
    for one in several:
        found.setdefault(str(one.said["asset"]), []).append(one)
    return [Row(first, tuple(also)) for first, *also in found.values()]


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many assets must be seen to now, and how many likely by each end.

    >>> counts([])
    {'assets': 0, 'now': 0, 'hour': 0, 'shift': 0, 'day': 0, 'week': 0}
    """
    dues = Counter(row.first.due for row in rows)
    likely = (sum((row.first.risks[at].at_least or 0.0) >= LIKELY for row in rows) for at in (1, 2, 3))
    told = dict(zip(("shift", "day", "week"), likely, strict=True))
    return {"assets": len(rows), "now": dues[DUES[0]], "hour": dues[DUES[0]] + dues[DUES[1]], **told}


def within(asset: str, place: str) -> bool:
    """Whether an asset is at or below a place.

    >>> within("a/b/c", "a/b"), within("a/bb/c", "a/b"), within("a/b/c", "")
    (True, False, True)
    """
    return not place or f"{asset}/".startswith(f"{place}/")


def thinned(past: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """At most forty points of a course, the newest among them.

    >>> thinned({"time": [1.0, 2.0], "value": [3.14159, None]})
    {'time': [1, 2], 'value': [3.142, None]}
    """
    step = max(1, -(-len(past["time"]) // _POINTS))
    times, values = (list(past[key])[::-1][::step][::-1] for key in ("time", "value"))
    return {
        "time": [int(at) for at in times],
        "value": [None if one is None else float(f"{one:.4g}") for one in values],
    }
