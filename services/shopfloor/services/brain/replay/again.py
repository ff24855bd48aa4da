"""A past prediction anew: read its window from the store, describe it, score it, compare its bits with the record."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from shopfloor.models.bins import BIN
from shopfloor.models.bundle import Bundle
from shopfloor.models.columns import MINUTE
from shopfloor.models.features import Matrix, part_features, pot_history
from shopfloor.models.inputs import MACHINE, TAGS
from shopfloor.models.scorer import numbers
from shopfloor.models.streaming import streamed
from shopfloor.plant.asset import Asset
from shopfloor.plant.counted import counted
from shopfloor.plant.errors import QuestionError
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.follow import lines
from shopfloor.services.brain.replay.past import BEFORE, machine_past, oldest, pot_stretches
from shopfloor.services.brain.replay.streams import row_again
from shopfloor.services.brain.speak import FAILURES
from shopfloor.services.registry import Prediction
from shopfloor.services.registry.seen import Seen

_AFTER: Final = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Again:
    """A recorded prediction and the same one made anew. `why` is empty when they are equal to the last bit."""

    id: str
    name: str
    number: int
    asset: str
    window_end: int
    recorded: tuple[float | None, float | None, float | None]
    anew: tuple[float | None, float | None, float | None] | None
    equal: bool
    features: tuple[str, ...]
    why: str

    def to_json(self) -> dict[str, Any]:
        """Plain content; times are epoch ms."""
        keys = ("value", "low", "high")
        anew = None if self.anew is None else dict(zip(keys, self.anew, strict=True))
        told = {key: getattr(self, key) for key in ("id", "name", "number", "asset", "equal", "why")}
        return {
            **told,
            "window_end": self.window_end / 1e6,
            "recorded": dict(zip(keys, self.recorded, strict=True)),
            "anew": anew,
            "features": list(self.features),
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """Features [f] of one window as the store tells them now, and over how many parts or bins they look back."""

    x: Matrix
    size: int


def again(reader: HistoryReader, assets: Sequence[Asset], bundle: Bundle, said: Prediction) -> Again:
    """Make a recorded prediction anew; one without the record of its window raises `QuestionError`."""
    if said.seen is None:
        raise QuestionError(
            f"The prediction {said.id} was recorded without its window, by an older server: take one made since."
        )
    asset = next((a for a in assets if str(a.path) == said.asset), None)
    if asset is None:
        raise QuestionError(f"The plant has no asset {said.asset} any more: its window cannot be read.")
    spec = streamed(bundle.manifest)
    tags = [f"{asset.path}/{name}" for name in (TAGS[asset.type] if spec is None else spec.tags)]
    if spec is None:
        window = _window(reader, assets, asset, said, said.seen)
    else:
        row = row_again(reader, spec, asset, said.window_end)
        window = _Window(row, said.seen.size) if row is not None else None
    if window is None:
        return _answer(said, None, (), f"The store tells no window that ended then: {_gone(reader, tags, said)}")
    x = window.x[None]
    differing = said.seen.differing(window.x)
    names = tuple(bundle.manifest.features[i] for i in differing or ())
    anew = _scored(bundle, x)
    if differing is None and _same(anew, _bits(said)):
        return _answer(said, anew, (), "")
    return _answer(said, anew, names, _why(reader, asset, tags, said, window, differing is None))


def _window(
    reader: HistoryReader, assets: Sequence[Asset], asset: Asset, said: Prediction, seen: Seen
) -> _Window | None:
    if asset.type == MACHINE:
        return _part(reader, asset, said.window_end, seen)
    line = next(line for line in lines([a for a in assets if a.type == asset.type]) if asset in line.assets)
    for bins, _ in pot_stretches(reader, line.assets, seen.since - BIN, said.window_end + 1):
        rows = np.flatnonzero(bins.time == said.window_end)
        if len(rows):
            held = bins.take(slice(int(np.searchsorted(bins.time, seen.since)), None))
            row = np.flatnonzero(held.time == said.window_end)
            x = pot_history(held, row)[0, line.assets.index(asset)]
            return None if np.isnan(x[0]) else _Window(x, int(row[0]) + 1)
    return None


def _part(reader: HistoryReader, asset: Asset, end: int, seen: Seen) -> _Window | None:
    past = machine_past(reader, asset, max(seen.since - BEFORE, 0), end + _AFTER)
    parts = past.parts.take(past.parts.end >= seen.since)
    rows = np.flatnonzero(parts.end == end)
    if not len(rows):
        return None
    return _Window(part_features(parts, rows[:1])[0], int(rows[0]) + 1)


def _scored(bundle: Bundle, x: Matrix) -> tuple[float | None, float | None, float | None]:
    try:
        found = numbers(bundle, x)
    except FAILURES:
        return None, None, None
    value, low, high = (_known(column[0]) for column in (found.value, found.low, found.high))
    return value, low, high


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _bits(said: Prediction) -> tuple[float | None, float | None, float | None]:
    return said.value, said.low, said.high


def _same(a: tuple[float | None, ...], b: tuple[float | None, ...]) -> bool:
    """Equal to the last bit: 0.0 is not -0.0."""
    return [None if v is None else struct.pack("<d", v) for v in a] == [
        None if v is None else struct.pack("<d", v) for v in b
    ]


def _answer(said: Prediction, anew: Any, features: tuple[str, ...], why: str) -> Again:
    equal = not why and anew is not None and _same(anew, _bits(said))
    return Again(
        said.id, said.name, said.number, said.asset, said.window_end, _bits(said), anew, equal, features, why
    )  # fmt: skip


def _why(
    reader: HistoryReader, asset: Asset, tags: Sequence[str], said: Prediction, window: _Window, same_features: bool
) -> str:  # fmt: skip
    assert said.seen is not None  # noqa: S101 (asked before)
    if same_features:
        return (
            "The features are the same to the last bit, the score is not: the model runs on other versions of its"
            " libraries, or another processor, than then."
        )
    kind = "part" if asset.type == MACHINE else "bin"
    more = window.size - said.seen.size
    if more > 0:
        return f"The store holds {counted(more, kind)} more in the window than the model saw: they came late."
    if more < 0:
        return f"The store holds {counted(-more, kind)} less in the window than then: {_gone(reader, tags, said)}"
    return "Values in the window came, or were changed, after the prediction was made."


def _gone(reader: HistoryReader, tags: Sequence[str], said: Prediction) -> str:
    assert said.seen is not None  # noqa: S101 (asked before)
    first = oldest(reader, tags, max(said.seen.since - BEFORE, 0), said.window_end + 1)
    if first is None:
        return "its values are no longer in the store (see the store's retention)."
    if first > said.seen.since:
        return "its first values are no longer in the store (see the store's retention)."
    return "what the store holds of that time was changed since."
