"""From the columns of reduction pots to half-minute bins on one clock: what all pots did, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import MINUTE, SECOND, Columns, Ints, number, words

BIN: Final = 30 * SECOND
BLOCK: Final = 20
"""Bins in a block (ten minutes), the grain of the long memory."""

AVERAGED: Final = ("resistance", "voltage", "noise", "current", "feed.rate", "duct.temperature")
HELD: Final = (
    "beam.position",
    "bath.height",
    "bath.temperature",
    "metal.height",
    "alf3.excess",
    "setpoint.voltage",
    "setpoint.feed",
    "setpoint.alf3",
)
STATES: Final = ("OVERFEED", "UNDERFEED", "TAPPING", "ANODE_CHANGE", "ANODE_EFFECT")
TAGS: Final = (*AVERAGED, *HELD, "state", "anode_effect")
NUMBERS: Final = (*AVERAGED, "resistance spread", *HELD, *STATES)
"""Columns of `Bins.values`: means, spread within the bin, values as they stand at its end, share of time in a state."""

AT: Final = {name: i for i, name in enumerate(NUMBERS)}

HORIZON: Final = 30 * MINUTE
"""How far ahead an anode effect is predicted."""
_AFTER: Final = 15 * MINUTE

Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """`time` [T] (end of each bin, UTC ns, `BIN` apart), `pots` (asset paths), `values` [T, pots, NUMBERS] float32."""

    time: Ints
    pots: tuple[str, ...]
    values: Singles

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: slice) -> Bins:
        """A stretch of time."""
        return Bins(self.time[rows], self.pots, self.values[rows])

    def blocks(self) -> tuple[Ints, Singles]:
        """Means over whole blocks of `BLOCK` bins on the clock: time [B] of each block's end, values [B, pots, k]."""
        if not len(self):
            return self.time, self.values
        skip = int(-(self.time[0] // BIN - 1) % BLOCK)
        count = max(len(self) - skip, 0) // BLOCK
        rows = slice(skip, skip + count * BLOCK)
        stacked = self.values[rows].reshape(count, BLOCK, *self.values.shape[1:])
        return self.time[rows][BLOCK - 1 :: BLOCK], mean(stacked, axis=1).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, to keep on disk."""
        return {"time": self.time, "pots": np.array(self.pots, np.str_), "values": self.values}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Bins:
        """What `arrays` gave."""
        return cls(arrays["time"], tuple(str(pot) for pot in arrays["pots"]), arrays["values"])


def mean(x: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Mean without its missing values; NaN where all are missing, without a warning."""
    known = ~np.isnan(x)
    count = known.sum(axis=axis).astype(np.float64)
    count[count == 0] = np.nan
    filled = x if x.flags.c_contiguous and known.all() else np.where(known, x, 0.0)
    total: NDArray[np.float64] = filled.sum(axis=axis, dtype=np.float64) / count
    return total


def clock(start: int, end: int) -> Ints:
    """Ends of the whole bins within [start, end)."""
    first = -(-start // BIN) + 1
    return np.arange(first, end // BIN + 1, dtype=np.int64) * BIN


def pot_bins(tags: Columns, ends: Ints) -> Singles:
    """One pot's values [T, NUMBERS] in the bins that end at `ends`."""
    starts = ends - BIN
    values = np.full((len(ends), len(NUMBERS)), np.nan)
    for name in AVERAGED:
        values[:, AT[name]], spread = number(tags, name).moments(starts, ends)
        if name == "resistance":
            values[:, AT["resistance spread"]] = spread
    for name in HELD:
        values[:, AT[name]] = number(tags, name).at(ends - 1)
    state = words(tags, "state").at(ends - 1)
    for name in STATES:
        values[:, AT[name]] = np.where(state == "", np.nan, state == name)
    effect = number(tags, "anode_effect")
    if len(effect.time):
        values[:, AT["ANODE_EFFECT"]] = np.fmax(effect.mean(starts, ends) > 0, values[:, AT["ANODE_EFFECT"]])
    return values.astype(np.float32)


def side_by_side(pots: Sequence[str], tags: Mapping[str, Columns], ends: Ints) -> Bins:
    """All pots on one clock."""
    columns = [pot_bins(tags.get(pot, {}), ends) for pot in pots]
    return Bins(ends, tuple(pots), np.stack(columns, axis=1))


def join(earlier: Bins, later: Bins) -> Bins:
    """Two stretches of the same pots, the second right after the first; a hole between them is filled with NaN."""
    rows = later.time > (earlier.time[-1] if len(earlier) else -1)
    if not len(earlier):
        return later
    time, values = later.time[rows], later.values[rows]
    hole = np.arange(earlier.time[-1] + BIN, time[0] if len(time) else 0, BIN, dtype=np.int64)
    gap = np.full((len(hole), *earlier.values.shape[1:]), np.nan, np.float32)
    return Bins(
        np.concatenate([earlier.time, hole, time]),
        earlier.pots,
        np.concatenate([earlier.values, gap, values]),
    )


def effects(bins: Bins) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Per bin and pot: an anode effect now or just before; minutes until the next one starts (inf when none came)."""
    return effects_of(bins.values[:, :, AT["ANODE_EFFECT"]] > 0)


def effects_of(active: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """As `effects`, of whether an anode effect is on in each bin [T, pots]."""
    busy = active.copy()
    for back in range(1, _AFTER // BIN + 1):
        busy[back:] |= active[:-back]
    starts = active.copy()
    starts[1:] &= ~active[:-1]
    until = np.full(active.shape, np.inf)
    for pot in range(active.shape[1]):
        at = np.flatnonzero(starts[:, pot])
        following = np.searchsorted(at, np.arange(len(active)), "right")
        found = following < len(at)
        until[found, pot] = (at[following[found]] - np.flatnonzero(found)) * (BIN / MINUTE)
    return busy, until
