"""The assets of the demonstration plant, and durations on a command line."""

from __future__ import annotations

import argparse
import re
from typing import Final

SIZES: Final = {"machining": 20, "potline": 40}
"""How many assets each line has unless it is told otherwise."""
_UNITS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def assets_of(line: str, count: int | None = None) -> list[str]:
    """Paths of the assets of a line: ten machines a cell, twenty pots a row.

    >>> assets_of("machining", 11)[-1]
    'delta/frames/machining/cell-b/cnc-11'
    >>> assets_of("potline")[20]
    'delta/smelter/potline/row-2/pot-21'
    """
    numbers = range(1, (count or SIZES[line]) + 1)
    if line == "machining":
        return [
            f"delta/frames/machining/cell-{'abcdefghijklmnopqrstuvwxyz'[(n - 1) // 10]}/cnc-{n:02d}" for n in numbers
        ]
    return [f"delta/smelter/potline/row-{(n - 1) // 20 + 1}/pot-{n:02d}" for n in numbers]


def seconds(text: str) -> float:
    """A duration like `100ms`, `5s`, `7d`; a plain number is seconds. For argparse.

    >>> seconds("7d"), seconds("100ms")
    (604800.0, 0.1)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if found is None or found[2] not in {*_UNITS, ""}:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 100ms, 5s, 2h or 7d")
    return float(found[1]) * _UNITS.get(found[2], 1.0)
