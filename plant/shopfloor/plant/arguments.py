"""Types of command-line arguments that several commands share, for argparse: each says what was expected."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def port(text: str) -> int:
    """A TCP port; 0 takes a free one.

    >>> port("4840")
    4840
    """
    return whole(0, 65_535)(text)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds.

    >>> whole(1, 260)("20")
    20
    """

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return value

    return number


def positive(text: str) -> float:
    """A finite number greater than 0.

    >>> positive("2.5")
    2.5
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number greater than 0")
    return value
