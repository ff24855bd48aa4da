"""How long which reasons held: the told stops of machines against their planned time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from shopfloor.services.production.counts import Ints

Reasons = Mapping[str, Mapping[str, int]]
Told = tuple[str, str, str, int, int]
"""Of a stop with a reason: asset, kind, reason, and when it began and ended (UTC ns)."""


def by_reason(told: Sequence[Told], planned: Ints) -> dict[str, Reasons]:
    """How long (ns) each reason held in the `planned` rows of start and end: by asset, kind and reason.

    >>> told = [("cnc-01", "down", "Tool/Broken", 5, 25), ("cnc-01", "down", "Tool/Broken", 30, 31)]
    >>> by_reason(told, np.array([[0, 10], [20, 40]]))
    {'cnc-01': {'down': {'Tool/Broken': 11}}}
    """
    begins, ends = (np.array([row[at] for row in told], np.int64) for at in (3, 4))
    length = _before(planned, ends) - _before(planned, begins)
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (asset, kind, reason, *_), ns in zip(told, length.tolist(), strict=True):
        held = found.setdefault(asset, {}).setdefault(kind, {})
        held[reason] = held.get(reason, 0) + ns
    return dict(found)


def _before(planned: Ints, moments: Ints) -> Ints:
    """How much of the planned rows lies before each moment."""
    if not len(planned):
        return np.zeros(len(moments), np.int64)
    whole = np.cumsum(np.diff(planned, axis=1).ravel())
    row = np.searchsorted(planned[:, 0], moments, "right") - 1
    within = np.minimum(moments, planned[row, 1]) - planned[row, 1]
    length: Ints = np.where(row < 0, 0, whole[row] + within)
    return length
