"""Features of reduction pots: each pot's last hour against its own last day and against the other pots of its line.

Ages are minutes, distances are differences; no clock or id enters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bins import BIN, BLOCK, HELD, mean
from shopfloor.models.columns import HOUR, MINUTE, Floats
from shopfloor.models.features.matrix import Matrix, divide
from shopfloor.models.features.over_time import peak, run, since, slope, spread

FINE: Final = 120
"""Bins (one hour) that a pot's features look at in detail."""
COARSE: Final = 144
"""Blocks (24 hours) of its long memory."""
BINS_SEEN: Final = (COARSE + 1) * BLOCK
"""Bins that hold both, wherever the blocks of the clock begin: longer histories say the same."""

_LEVELS: Final = ("resistance", "voltage", "noise", "feed.rate", "duct.temperature", "current", "resistance spread")
_WATCHED: Final = ("resistance", "voltage", "noise", "feed.rate", "duct.temperature", "resistance spread")
_SINCE: Final = ("TAPPING", "ANODE_CHANGE", "ANODE_EFFECT", "UNDERFEED", "OVERFEED")
_FEEDING: Final = ("UNDERFEED", "OVERFEED")

POT_FEATURES: Final = (
    *(f"{name} level" for name in _LEVELS),
    *(f"resistance slope {m}" for m in (5, 10, 20, 60)),
    "resistance bend",
    *(f"noise slope {m}" for m in (10, 60)),
    *(f"{name} own" for name in _WATCHED),
    *(f"{name} neighbours" for name in _WATCHED),
    *(f"{name} own share" for name in _WATCHED),
    *(f"feed deficit {h}" for h in (1, 3, 6, 12)),
    "feed efficiency",
    *HELD,
    *(f"minutes since {name}" for name in _SINCE),
    *(f"{name} share" for name in _FEEDING),
    "voltage off",
    "resistance off",
    *(f"beam move {m}" for m in (10, 30, 60)),
    *(f"{name} run" for name in _FEEDING),
    *(f"resistance slope {name}" for name in _FEEDING),
    "noise peak",
)

LOOKED: Final = {
    **dict.fromkeys(HELD, 1),
    **dict.fromkeys(_LEVELS, 10),
    **dict.fromkeys(("resistance", "noise", "feed.rate", "beam.position", *_SINCE), FINE),
}
"""How many of its last bins each column is looked at."""

Windows = Mapping[str, Floats]
"""Column of `Bins` -> its last values [t, moments, pots], of as many moments as are described at once."""


REMEMBERED: Final = dict.fromkeys((*_LEVELS, *_SINCE), COARSE)
"""How many of its last blocks each column is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """What the long memory of pots says: it changes with every block, not with every bin. All are [moments, pots]."""

    level: Mapping[str, Floats]
    spread: Mapping[str, Floats]
    fed: Mapping[int, Floats]
    target: Floats
    since: Mapping[str, Floats]

    @classmethod
    def of(cls, coarse: Windows) -> Self:
        """From the last blocks of each column of `REMEMBERED`."""
        feed, blocks_an_hour = coarse["feed.rate"], HOUR // (BIN * BLOCK)
        return cls(
            {name: mean(coarse[name], 0) for name in _LEVELS},
            {name: spread(coarse[name]) for name in _WATCHED},
            {h: mean(feed[-h * blocks_an_hour :], 0) for h in (3, 6, 12)},
            mean(coarse["resistance"][-6:], 0),
            {name: _minutes_of(coarse[name]) for name in _SINCE},
        )

    def at(self, moments: NDArray[np.int64]) -> Day:
        """The chosen moments, in any order and number."""
        return Day(*(_chosen(getattr(self, one.name), moments) for one in fields(self)))


def _chosen(held: Any, moments: NDArray[np.int64]) -> Any:
    if isinstance(held, np.ndarray):
        return held[moments]
    return {key: one[moments] for key, one in held.items()}


def described(fine: Windows, day: Day) -> Matrix:
    """Features [moments, pots, POT_FEATURES] from the last bins of each column of `LOOKED` and from the day before."""
    now = {name: mean(fine[name][-10:], 0) for name in _LEVELS}
    own = {name: now[name] - day.level[name] for name in _WATCHED}
    columns: list[Floats] = [now[name] for name in _LEVELS]
    slopes = [slope(fine["resistance"][-2 * minutes :]) for minutes in (5, 10, 20, 60)]
    columns += [*slopes, slopes[0] - slopes[2], slope(fine["noise"][-20:]), slope(fine["noise"])]
    columns += own.values()
    columns += [away - _middle(away) for away in own.values()]
    columns += [divide(own[name], day.spread[name]) for name in _WATCHED]
    columns += _feeding(fine, day)
    columns += [fine[name][-1] for name in HELD]
    columns += [np.minimum(since(fine[name]), day.since[name]) for name in _SINCE]
    columns += [mean(fine[name], 0) for name in _FEEDING]
    columns += [now["voltage"] - fine["setpoint.voltage"][-1]]
    columns += _steering(fine, day, now)
    return np.stack(columns, axis=-1).astype(np.float32)


def _middle(x: Floats) -> Floats:
    """Median of the known pots at each moment [moments, pots], [moments, 1]; NaN where none is known."""
    ranked = np.sort(x, axis=1)
    count = (~np.isnan(x)).sum(axis=1, keepdims=True)
    lower, upper = (np.take_along_axis(ranked, np.maximum(at, 0), axis=1) for at in ((count - 1) // 2, count // 2))
    return np.where(count > 0, (lower + upper) / 2.0, np.nan)


def _feeding(fine: Windows, day: Day) -> list[Floats]:
    """Alumina fed in the last hours against the pot's own day (kg), and the last hour's share of it."""
    usual = day.level["feed.rate"]
    hour = mean(fine["feed.rate"], 0)
    deficits = [hour - usual, *((fed - usual) * h for h, fed in day.fed.items())]
    return [*deficits, divide(hour, usual)]


def _steering(fine: Windows, day: Day, now: Mapping[str, Floats]) -> list[Floats]:
    """What the control does: distance from its target, beam moves, how long it feeds less or more, and what follows."""
    beam, resistance = fine["beam.position"], fine["resistance"][-60:]
    moves = [beam[-1] - beam[-1 - 2 * minutes] for minutes in (10, 30)] + [beam[-1] - beam[0]]
    slopes = [slope(np.where(fine[name][-60:] > 0, resistance, np.nan)) for name in _FEEDING]
    noisiest = peak(fine["noise"][-20:]) - day.level["noise"]
    runs = [run(fine[name]) for name in _FEEDING]
    return [now["resistance"] - day.target, *moves, *runs, *slopes, noisiest]


def _minutes_of(coarse: Floats) -> Floats:
    """Minutes since the middle of the last block that held a state."""
    older = coarse[::-1] > 0
    far = np.where(older.any(0), (older.argmax(0) * BLOCK + BLOCK / 2) * (BIN / MINUTE), COARSE * BLOCK * BIN / MINUTE)
    return np.maximum(far, 0.0)


_EXCUSED: Final = 60.0
"""Minutes after a tapping, an anode change or an anode effect."""


def excused(x: Matrix) -> NDArray[np.bool_]:
    """Moments [n] within an hour after tapping, an anode change or an anode effect: unusual by plan."""
    since_event = [POT_FEATURES.index(f"minutes since {name}") for name in ("TAPPING", "ANODE_CHANGE", "ANODE_EFFECT")]
    return np.any(x[:, since_event] < _EXCUSED, axis=1)  # type: ignore[no-any-return]
