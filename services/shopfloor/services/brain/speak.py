"""Let a group of assets be judged: the live version's words, and the numbers of every version for the record."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from shopfloor.models.features import Matrix
from shopfloor.models.scorer import Scores, score
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.judge import judge, unknown
from shopfloor.services.brain.serving import Group, Opened
from shopfloor.services.registry import Prediction
from shopfloor.services.registry.seen import Seen
from treelite import TreeliteError

FAILURES: Final = (ShopfloorError, ValueError, KeyError, IndexError, ArithmeticError, TypeError, TreeliteError)
"""What an unfit bundle may raise while it scores."""
_FAILED: Final = "The model failed on this window: its versions are on the models page."

Looked = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What shall be judged: assets, features [n, f], the moments (UTC ns) and the parts they describe ("" for none).

    `looked` says how far back each row looked: since when (UTC ns), and over how many parts or bins.
    """

    assets: Sequence[str]
    x: Matrix
    times: Sequence[int]
    parts: Sequence[str]
    looked: Sequence[Looked]

    def take(self, rows: Sequence[int]) -> Described:
        """The chosen rows."""
        if len(rows) == len(self.assets):
            return self
        chosen = [[several[i] for i in rows] for several in (self.assets, self.times, self.parts, self.looked)]
        return Described(chosen[0], self.x[list(rows)], *chosen[1:])  # type: ignore[arg-type]


NOTHING: Final = Described([], np.empty((0, 0), np.float32), [], [], [])


def speak(group: Group, what: Described) -> tuple[list[dict[str, Any]], list[Prediction]]:
    """Predictions as `GET predictions` shows them, and what every version of the group said."""
    said, latency = _scores(group.live, what.x)
    entries = _entries(group.live, what, said)
    rows = list(_rows(group.live, what, said, latency, live=True))
    for shadow in group.shadows:
        rows += _rows(shadow, what, *_scores(shadow, what.x), live=False)
    return entries, rows


def _entries(live: Opened, what: Described, said: Scores | None) -> list[dict[str, Any]]:
    if said is None and live.bundle.manifest.state == "ready":
        return [
            unknown(live.bundle, asset, _FAILED, moment / 1e6)
            for asset, moment in zip(what.assets, what.times, strict=True)
        ]
    entries = judge(live.bundle, what.assets, what.x, what.times, said)
    for entry in entries:
        entry["version"] = live.number
    return entries


def _scores(one: Opened, x: Matrix) -> tuple[Scores | None, float]:
    """What a version says, None when it abstains or fails, and the CPU microseconds per row."""
    if one.bundle.manifest.state != "ready":
        return None, 0.0
    begun = time.thread_time_ns()
    try:
        said = score(one.bundle, x)
    except FAILURES:
        said = None
    return said, (time.thread_time_ns() - begun) / 1e3 / max(len(x), 1)


def _rows(one: Opened, what: Described, said: Scores | None, latency: float, *, live: bool) -> Iterator[Prediction]:
    card = one.bundle.manifest
    if not one.sha or card.state != "ready":
        return
    for i, asset in enumerate(what.assets):
        value, low, high = (
            (math.nan,) * 3 if said is None else (float(said.value[i]), float(said.low[i]), float(said.high[i]))
        )
        yield Prediction(
            card.name, one.number, one.sha, asset, what.times[i], live, value, low, high, latency, what.parts[i],
            Seen.of(*what.looked[i], what.x[i]),
        )  # fmt: skip
