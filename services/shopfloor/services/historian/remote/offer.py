"""Offering rows to a target so that the few that it refuses are known exactly, and all others are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from shopfloor.services.historian.remote.sender import Refused
from shopfloor.services.historian.rows import Rows

_REQUESTS: Final = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """Rows that the target will never take, and what it said."""

    rows: Rows
    sentence: str


def offer(rows: Rows, send: Callable[[Rows], None]) -> list[Refusal]:
    """Send the rows; a refused portion is halved until the refused rows stand alone (the same row twice is one point).

    After 200 requests what is still mixed is set aside as a whole: then some of it may have been taken.
    """
    refusals: list[Refusal] = []
    open_, requests = [rows], 0
    while open_:
        part = open_.pop()
        requests += 1
        try:
            send(part)
        except Refused as problem:
            if problem.dropped == len(part) or len(part) == 1 or requests > _REQUESTS:
                refusals.append(Refusal(part, str(problem)))
            else:
                open_ += reversed(_halves(part))
    return refusals


def _halves(rows: Rows) -> list[Rows]:
    """Two portions: by tag where there are several (a conflict concerns a tag), else by time. Rows are sorted."""
    tags = np.unique(rows.tag)
    middle = len(rows) // 2
    if len(tags) > 1:
        middle = int(np.searchsorted(rows.tag, tags[len(tags) // 2], "left"))
    return [rows.take(slice(0, middle)), rows.take(slice(middle, None))]
