"""Tags of a process line against their normal bands: those that left it for longest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from shopfloor.plant import Kind
from shopfloor.services.catalog import Entry
from shopfloor.services.historian.options import MINUTE
from shopfloor.services.reports.document import Trend
from shopfloor.services.reports.gather.stores import Stores
from shopfloor.services.reports.scope import Scope

DRAWN: Final = 6
_POINTS: Final = 160


def trends(of: Scope[Stores]) -> tuple[Trend, ...]:
    """The tags with a normal band of assets without production: those longest outside, one of each kind first."""
    machines = {machine.path for machine in of.machines}
    entries = [one for one in of.tags() if one.asset not in machines and one.tag.normal and one.tag.kind != Kind.TEXT]
    outside = shares(of, entries)
    ranked = sorted((one for one in entries if one.path in outside), key=lambda one: -outside[one.path])
    return tuple(_trend(of, one, outside[one.path]) for one in apart(ranked)[:DRAWN])


def apart(ranked: Sequence[Entry]) -> list[Entry]:
    """The first of each name, then the others: six pots with the same fault say less than six tags."""
    first = {one.tag.name: one for one in reversed(ranked)}
    mine = {one.path for one in first.values()}
    return [one for one in ranked if one.path in mine] + [one for one in ranked if one.path not in mine]


def shares(of: Scope[Stores], entries: Sequence[Entry]) -> dict[str, float]:
    """The share of its minutes in which each tag left its band."""
    bands = {one.path: one.tag.normal for one in entries if one.tag.normal}
    table = of.services.reader.aggregate(list(bands), of.start, of.end, MINUTE, of=("n", "min", "max"))
    table = table.filter(pa.compute.greater(table.column("n"), 0))
    tag = table.column("tag").combine_chunks()
    names, index = tag.dictionary.to_pylist(), tag.indices.to_numpy()
    low = np.array([band.low if (band := bands[name]) else -np.inf for name in names] or [0.0])[index]
    high = np.array([band.high if (band := bands[name]) else np.inf for name in names] or [0.0])[index]
    left = (table.column("min").to_numpy() < low) | (table.column("max").to_numpy() > high)
    count, out = (np.bincount(index, weights, len(names)) for weights in (None, left.astype(float)))
    return {name: float(out[i] / count[i]) for i, name in enumerate(names) if count[i]}


def _trend(of: Scope[Stores], one: Entry, outside: float) -> Trend:
    every = max(MINUTE, (of.end - of.start) // _POINTS // MINUTE * MINUTE)
    table = of.services.reader.aggregate([one.path], of.start, of.end, every, of=("n", "min", "max", "last_time"))
    time = table.column("last_time").cast(pa.int64()).to_pylist()
    band = one.tag.normal
    assert band is not None  # noqa: S101 (only those with a band are asked for)
    return Trend(
        of.title(one.asset), one.tag.title or one.tag.name, one.tag.unit, one.tag.decimals, (band.low, band.high),
        outside, tuple(time), tuple(table.column("min").to_pylist()), tuple(table.column("max").to_pylist()),
    )  # fmt: skip
