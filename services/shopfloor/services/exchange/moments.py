"""Moments that people write on a command line and in files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant import QuestionError

UNITS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_NS: Final = pa.timestamp("ns")


def moment(text: str) -> int:
    """UTC ns of ISO 8601; without a zone it is UTC.

    >>> moment("2026-01-31T12:00:00.5Z"), moment("1970-01-02")
    (1769860800500000000, 86400000000000)
    """
    try:
        return int(times(pa.array([text.strip()]), 1, "UTC")[0])
    except pa.ArrowInvalid as problem:
        raise QuestionError(f"{text[:50]!r} is no time: write it as in 2026-01-31T12:00:00Z.") from problem


def times(texts: pa.StringArray, unit: int, zone: str) -> NDArray[np.int64]:
    """UTC ns of ISO 8601, or of whole numbers of `unit` ns since 1970; without a zone the times are those of `zone`.

    Anything else raises `pa.ArrowInvalid`.
    """
    for read in _ways(unit, zone):
        try:
            return np.asarray(read(texts), np.int64)
        except pa.ArrowInvalid as problem:
            last = problem
    raise last


def _ways(unit: int, zone: str) -> Iterator[Callable[[pa.StringArray], pa.Array]]:
    yield lambda texts: pc.cast(pc.cast(texts, pa.timestamp("ns", "UTC")), pa.int64())
    yield lambda texts: pc.multiply_checked(pc.cast(texts, pa.int64()), unit)
    yield lambda texts: pc.cast(pc.assume_timezone(pc.cast(texts, _NS), zone), pa.int64())
