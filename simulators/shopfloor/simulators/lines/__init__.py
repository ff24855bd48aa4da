"""A line is one module, and beside it those that begin with its name: layout, tags, physics. `load(name)` finds it."""

from __future__ import annotations

import importlib
from typing import Final

from shopfloor.simulators.line import Line

NAMES: Final = ("machining", "potline")


def load(name: str) -> Line:
    """The line of this name; an unknown one raises `KeyError` with the names there are.

    >>> load("potline").id
    'potline'
    """
    if name not in NAMES:
        raise KeyError(f"There is no line {name!r}: {' and '.join(NAMES)} are built in.")
    line: Line = importlib.import_module(f"shopfloor.simulators.lines.{name}").LINE
    return line
