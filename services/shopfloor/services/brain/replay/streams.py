"""Windows of uploaded bundles: the moments of their streams over stored time, by the code that judges them live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.models.bundle import Manifest
from shopfloor.models.columns import HOUR, Floats, Ints
from shopfloor.models.features import Matrix
from shopfloor.models.streaming import Rows, StreamSpec, described, streamed
from shopfloor.plant.asset import Asset
from shopfloor.services.brain.feed import HistoryReader
from shopfloor.services.brain.replay.past import Told
from shopfloor.services.brain.replay.truth import Truth, nothing, told_since
from shopfloor.services.brain.replay.windows import Labels, Says, Spent, Windows
from shopfloor.services.brain.serving import Opened
from shopfloor.services.brain.streams.levels import reached
from shopfloor.services.brain.streams.said import asked
from shopfloor.services.brain.streams.values import Values, stretches

_APART: Final = HOUR
"""Windows that should have alarmed and lie farther apart warned of two events."""


def having_tags(reader: HistoryReader, spec: StreamSpec, assets: Sequence[Asset]) -> list[Asset]:
    """The assets of which the store knows every tag of a stream."""
    asked_for = [f"{asset.path}/{tag}" for asset in assets for tag in spec.tags]
    known = set(reader.latest(asked_for).column("tag").cast(pa.string()).to_pylist()) if asked_for else set[str]()
    return [asset for asset in assets if all(f"{asset.path}/{tag}" in known for tag in spec.tags)]


@dataclass(slots=True, eq=False)
class _Columns:
    """What one model said of the moments of its stream, piece by piece: [t, n] each."""

    time: list[Ints]
    known: list[NDArray[np.bool_]]
    said: list[tuple[Floats, ...]]


def stream_windows(
    reader: HistoryReader, assets: Sequence[Asset], span: tuple[int, int], models: Sequence[Opened], spent: Spent,
    labels: Labels, told: Told,
) -> Iterator[Windows]:  # fmt: skip
    """Every moment of every asset in the span at which any input was known; a model beside it at the same moments."""
    names = tuple(str(asset.path) for asset in assets)
    found = [
        _judged(reader, names, span, one, spent, told if i == 0 else lambda _: None) for i, one in enumerate(models)
    ]
    time, card = found[0].time[0], models[0].bundle.manifest
    for place, name in enumerate(names):
        rows = np.flatnonzero(found[0].known[0][:, place])
        end = time[rows]
        said = tuple(_at(one, place, end) for one in found)
        yield Windows(
            name, end, said, _truth(card, told_since(nothing(len(rows)), None, end, labels.get(name, ())), end)
        )


def _judged(
    reader: HistoryReader, names: tuple[str, ...], span: tuple[int, int], one: Opened, spent: Spent, told: Told
) -> _Columns:  # fmt: skip
    spec = spec_of(one)
    found = _Columns([], [], [])
    for rows in stream_rows(reader, spec, names, span, spent, told):
        spent.lap("describing")
        said, _ = asked(one.bundle, rows.x[rows.known])
        columns = []
        for column in (said.value, said.low, said.high):
            whole = np.full(rows.known.shape, np.nan)
            whole[rows.known] = column
            columns.append(whole)
        spent.lap("scoring")
        spent.windows += int(rows.known.sum())
        found.time.append(rows.time)
        found.known.append(rows.known)
        found.said.append(tuple(columns))
    spent.lap("describing")
    return _whole(found, len(names))


def _whole(found: _Columns, assets: int) -> _Columns:
    """The pieces end to end, as one."""
    if not found.time:
        empty = np.empty((0, assets))
        return _Columns([np.empty(0, np.int64)], [np.empty((0, assets), bool)], [(empty, empty, empty)])
    said = tuple(np.concatenate([piece[i] for piece in found.said]) for i in range(3))
    return _Columns([np.concatenate(found.time)], [np.concatenate(found.known)], [said])


def _at(one: _Columns, place: int, end: Ints) -> Says:
    """What a model said of an asset at moments [n], NaN where its own stream has none."""
    time = one.time[0]
    row = np.minimum(np.searchsorted(time, end), max(len(time) - 1, 0))
    if not len(time):
        return tuple(np.full(len(end), np.nan) for _ in range(3))
    same = time[row] == end
    return tuple(np.where(same, column[row, place], np.nan) for column in one.said[0])


def stream_rows(
    reader: HistoryReader, spec: StreamSpec, names: tuple[str, ...], span: tuple[int, int], spent: Spent, told: Told
) -> Iterator[Rows]:  # fmt: skip
    """The rows of assets at all moments in the span [start, end) UTC ns, piece by piece."""
    values = Values(spec, names, spec.since(span[0]))

    def sample(moments: Ints) -> Floats:
        spent.lap("describing")
        found = [values.read(reader, piece) for piece in stretches(moments)]
        told(values.cursor)
        spent.lap("reading")
        return np.concatenate(found) if found else np.empty((0, len(names), len(spec.tags)))

    return described(spec, sample, len(names), *span)


def row_again(reader: HistoryReader, spec: StreamSpec, asset: Asset, moment: int) -> Matrix | None:
    """Features [f] of an asset at a moment as the store tells them now; None where it knows no input."""
    for rows in stream_rows(reader, spec, (str(asset.path),), (moment, moment + 1), Spent(), lambda _: None):
        return rows.x[0, 0] if len(rows.time) and rows.known[0, 0] else None
    return None


def spec_of(one: Opened) -> StreamSpec:
    """The stream of a bundle that has one."""
    spec = streamed(one.bundle.manifest)
    assert spec is not None  # noqa: S101 (asked before)
    return spec


def _truth(card: Manifest, truth: Truth, end: Ints) -> Truth:
    """With what should have alarmed: exact truths at which a person would act; those of one hour are one event."""
    exact = truth.low == truth.high
    due = np.where(exact, reached(card, "act", truth.low), np.nan) if card.kind != "classes" else truth.due
    rows = np.flatnonzero(due == 1)
    event, when = truth.event.copy(), truth.when.copy()
    if len(rows):
        number = np.cumsum(np.append(0, np.diff(end[rows]) > _APART))
        last = np.append(np.flatnonzero(np.diff(number)), len(rows) - 1)
        event[rows], when[rows] = number, end[rows[last]][number]
    return Truth(truth.low, truth.high, due, event, when)
