"""What a version says of rows: shown for the newest moment where it speaks, recorded for all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.bundle import Bundle
from shopfloor.models.columns import SECOND
from shopfloor.models.features import Matrix
from shopfloor.models.scorer import Scores, numbers
from shopfloor.models.streaming import Rows, StreamSpec
from shopfloor.services.brain.advise import Window
from shopfloor.services.brain.diary import Row
from shopfloor.services.brain.judge import unknown
from shopfloor.services.brain.speak import FAILURES
from shopfloor.services.brain.streams.followed import Followed
from shopfloor.services.brain.streams.plan import Judged
from shopfloor.services.brain.streams.words import entries
from shopfloor.services.registry import Prediction
from shopfloor.services.registry.seen import Seen

Ints = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Said:
    """`entries` are shown, each with the window it was made of; `noted` goes to the diary, `scored` to the record."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    windows: list[Window | None] = field(default_factory=list)
    noted: list[Row] = field(default_factory=list)
    scored: list[Prediction] = field(default_factory=list)


def say(one: Judged, followed: Followed, rows: Rows) -> Said:
    """Ask a version once about the rows of its assets at all moments."""
    mine = [i for i, asset in enumerate(followed.assets) if asset in one.live or asset in one.shadow]
    moment, place = np.nonzero(rows.known[:, mine])
    x = rows.x[:, mine][moment, place]
    said, latency = asked(one.held.bundle, x)
    assets = [followed.assets[mine[i]] for i in place.tolist()]
    found = Said()
    if len(rows.time):
        _show(one, found, followed, rows, moment == len(rows.time) - 1, assets, x, said)
    kept = np.flatnonzero(followed.recorded(rows.time)[moment])
    times = rows.time[moment]
    for i in kept.tolist():
        row = _recorded(one, assets[i], int(times[i]), x[i], said, i, latency)
        found.scored.append(row)
        if row.live:
            found.noted.append(
                (row.asset, one.held.bundle.manifest.target, row.window_end, row.value, row.low, row.high)
            )
    return found


def asked(bundle: Bundle, x: Matrix) -> tuple[Scores, float]:
    """What a bundle says of rows [n, f], NaN where it fails, and the CPU microseconds per row."""
    begun = time.thread_time_ns()
    try:
        said = numbers(bundle, x)
    except FAILURES:
        said = Scores(*(np.full(len(x), np.nan) for _ in range(3)))
    return said, (time.thread_time_ns() - begun) / 1e3 / max(len(x), 1)


def seen_of(spec: StreamSpec, moment: int, x: Matrix) -> Seen:
    """How far back a row [f] looked, over how many moments, and the marks of its features."""
    size = (moment - spec.begin_of(moment)) // (spec.every * SECOND) + 1
    return Seen.of(spec.since(moment), size, x)


def _recorded(
    one: Judged, asset: str, moment: int, x: Matrix, said: Scores, i: int, latency: float
) -> Prediction:  # fmt: skip
    value, low, high = (_known(column[i]) for column in (said.value, said.low, said.high))
    version = one.version
    return Prediction(
        version.name, version.number, version.sha, asset, moment, asset in one.live, value, low, high, latency, "",
        seen_of(one.held.spec, moment, x),
    )  # fmt: skip


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _show(
    one: Judged, found: Said, followed: Followed, rows: Rows, newest: NDArray[np.bool_], assets: Sequence[str],
    x: Matrix, said: Scores,
) -> None:  # fmt: skip
    """The newest moment of the assets for which the version speaks; where nothing is known the number is withdrawn."""
    bundle, moment = one.held.bundle, int(rows.time[-1])
    shown = [i for i in np.flatnonzero(newest).tolist() if assets[i] in one.live]
    names = [assets[i] for i in shown]
    told = Scores(said.value[shown], said.low[shown], said.high[shown])
    found.entries += entries(bundle, one.held.groups, names, x[shown], moment, told) if shown else []
    for entry, i in zip(found.entries, shown, strict=True):
        known = entry["value"] is not None
        window = Window(one.opened, assets[i], x[i], moment, one.held.groups) if known else None
        found.windows.append(window)
    for asset in sorted(one.live.intersection(followed.assets).difference(names)):
        spec = one.held.spec
        sentence = f"No value of {', '.join(spec.tags)} for {spec.hold} s."
        found.entries.append(unknown(bundle, asset, sentence, moment / 1e6))
        found.windows.append(None)
    for entry in found.entries:
        entry["version"] = one.version.number
