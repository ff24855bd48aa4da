"""How a monitored value lies in the bytes of a notification, by its DataValue mask and its Variant type.

Source: OPC 10000-6, 5.2.2.16 (Variant), 5.2.2.17 (DataValue), 5.2.2.5 (DateTime); OPC 10000-4, 7.25.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

VALUE, STATUS, SOURCE_TIME, SERVER_TIME, SOURCE_PICOSECONDS, SERVER_PICOSECONDS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
BOOLEAN: Final = 1
UINT64: Final = 9
FIXED: Final = {1: "?", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d"}
"""Variant types of one size, with the letter that `struct` has for them."""
FLOATS: Final = frozenset({1, 10, 11})
"""Variant types whose values are floats for Shopfloor; the other fixed ones are integers."""
EPOCH_TICKS: Final = 116_444_736_000_000_000
"""1970-01-01 in ticks of 100 ns since 1601."""
LAST_TICKS: Final = EPOCH_TICKS + (2**63 - 1) // 100 - 1
"""The latest time that fits into int64 nanoseconds, in 2262; what is later stands for "no end" and counts as none."""
_MOST: Final = 9_999

_PARTS: Final = (
    (STATUS, "status", "I"),
    (SOURCE_TIME, "source", "q"),
    (SOURCE_PICOSECONDS, "source_fine", "H"),
    (SERVER_TIME, "server", "q"),
    (SERVER_PICOSECONDS, "server_fine", "H"),
)
_NUMPY: Final = {"?": "u1"}
Row = tuple[int, Any, int, int, int, int, int]
"""Client handle, value (None without one), status, source ticks, their fraction, server ticks, their fraction."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One combination of mask and type. `dtype` has the fields that are there, and `key` to compare rows by.

    `unpack(data, position)` answers the fields of one row; `pick` makes a `Row` of them with None and 0 behind them.
    """

    mask: int
    type: int
    size: int
    dtype: np.dtype[Any]
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    pick: Callable[[tuple[Any, ...]], Row]

    @property
    def key(self) -> int:
        """Mask and type as the number that `dtype`'s field `key` has in a row of this layout."""
        return self.mask | self.type << 8 if self.mask & VALUE else self.mask


@cache
def layout(mask: int, kind: int) -> Layout | None:
    """The layout of values with this mask and type; None when their size is not fixed.

    >>> layout(0x05, 11).dtype.names
    ('handle', 'key', 'value', 'source')
    """
    if mask & VALUE and kind not in FIXED:
        return None
    fields = [("handle", "I")]
    fields += [("key", "H"), ("value", FIXED[kind])] if mask & VALUE else [("key", "B")]
    fields += [(name, letter) for bit, name, letter in _PARTS if mask & bit]
    names = [name for name, _ in fields]
    row = struct.Struct("<" + "".join(letter for _, letter in fields))
    return Layout(
        mask,
        kind if mask & VALUE else 0,
        row.size,
        np.dtype([(name, _NUMPY.get(letter, f"<{np.dtype(letter).str[1:]}")) for name, letter in fields]),
        row.unpack_from,
        itemgetter(*_places(names)),
    )


def _places(names: list[str]) -> list[int]:
    none, zero = len(names), len(names) + 1
    wanted = ("value", "status", "source", "source_fine", "server", "server_fine")
    return [0, *(names.index(one) if one in names else none if one == "value" else zero for one in wanted)]


def nanoseconds(source: int, source_fine: int, server: int, server_fine: int) -> int:
    """UTC ns of the source's time, else of the server's, in ticks with their picoseconds (in units of 10); else 0.

    >>> nanoseconds(EPOCH_TICKS + 1, 300, 0, 0), nanoseconds(0, 0, EPOCH_TICKS + 1, 0), nanoseconds(0, 0, 0, 0)
    (103, 100, 0)
    """
    if EPOCH_TICKS < source <= LAST_TICKS:
        return (source - EPOCH_TICKS) * 100 + (min(source_fine, _MOST) // 100 if source_fine else 0)
    return nanoseconds(server, server_fine, 0, 0) if server else 0


def times(rows: NDArray[Any], now: int) -> NDArray[np.int64]:
    """UTC ns of rows of a `Layout`: the source's time, else the server's, else `now`."""
    names = rows.dtype.names or ()
    result: NDArray[np.int64] | None = None
    missing: NDArray[np.bool_] | None = None
    for name in ("source", "server"):
        if name in names and (missing is None or missing.any()):
            fine = rows[f"{name}_fine"] if f"{name}_fine" in names else None
            found, none = _nanoseconds(rows[name], fine)
            result = found if result is None or missing is None else np.where(missing, found, result)
            missing = none if missing is None else missing & none
    if result is None or missing is None:
        return np.full(len(rows), now, np.int64)
    if missing.any():
        result[missing] = now
    return result


def _nanoseconds(
    ticks: NDArray[np.int64], fine: NDArray[np.uint16] | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    none = (ticks <= EPOCH_TICKS) | (ticks > LAST_TICKS)
    result = (ticks - EPOCH_TICKS) * 100
    if fine is not None:
        result += np.minimum(fine, _MOST).astype(np.int64) // 100
    return result, none
