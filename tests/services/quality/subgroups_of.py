"""Subgroups of given numbers, for tests of charts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import ChartSection
from shopfloor.services.quality.subgroups import Counted, Grouper, Measured, Subgroups

HOUR = 3_600_000_000_000
KINDS: dict[str, dict[str, Any]] = {
    "xbar-r": {"subgroup": {"size": 5}},
    "xbar-s": {"subgroup": {"size": 5}},
    "i-mr": {},
    "ewma": {},
    "cusum": {},
    "p": {"subgroup": {"every": "1h"}, "inspected": "n"},
    "np": {"subgroup": {"every": "1h"}, "inspected": "n"},
    "c": {"subgroup": {"every": "1h"}},
    "u": {"subgroup": {"every": "1h"}, "inspected": "n"},
}


def chart(kind: str, **more: Any) -> ChartSection:
    return ChartSection.model_validate({"chart": kind, "tag": "d", **KINDS[kind], **more})


def measured(values: Any, step: int = HOUR) -> Measured:
    value = np.asarray(values, np.float64).ravel()
    n = len(value)
    return Measured(np.arange(1, n + 1) * step, value, np.zeros(n, np.uint32), np.zeros(n, np.int64))


def groups(kind: str, values: Any) -> Subgroups:
    """Subgroups of measured values, in rows of the chart's size."""
    return Grouper(chart(kind)).add(measured(values))


def counted(wrong: Any, inspected: Any = 1.0) -> Subgroups:
    """One subgroup for each count."""
    value = np.asarray(wrong, np.float64)
    n = np.broadcast_to(np.asarray(inspected, np.float64), value.shape).copy()
    none: NDArray[np.float64] = np.full(len(value), np.nan)
    return Subgroups(np.arange(1, len(value) + 1) * HOUR, value, none, n, np.zeros(len(value), np.uint32))


def counts(wrong: Any, inspected: Any) -> Counted:
    value = np.asarray(wrong, np.float64)
    n = len(value)
    rows = np.asarray(inspected, np.float64)
    return Counted(np.arange(1, n + 1) * HOUR, value, rows, np.zeros(n, np.uint32), np.zeros(n, np.int64))
