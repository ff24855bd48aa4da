"""Time at the rim: UTC nanoseconds inside, Unix epoch milliseconds in JSON."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], int]


def now() -> int:
    """UTC nanoseconds of this machine."""
    return time.time_ns()


def to_ms(ns: int) -> float:
    """Nanoseconds as epoch milliseconds, to the microsecond.

    >>> to_ms(1_500_000), to_ms(2_000_000)
    (1.5, 2.0)
    """
    return round(ns / 1_000) / 1_000


def to_ns(ms: float) -> int:
    """Epoch milliseconds (maybe with a fraction) as nanoseconds.

    >>> to_ns(1.5)
    1500000
    """
    return round(ms * 1_000) * 1_000
