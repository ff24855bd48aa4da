"""The one step: what is remembered of n assets and their next row become features.

Everything is elementwise float64 with + - * / and square roots, which IEEE 754 rounds in one way: the result of an
asset depends neither on how many others are beside it nor on how the history was cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.spec.featurespec import CONSTANTS, FeatureSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Matrix = NDArray[np.float32]

_LARGEST: Final = 1e15
"""Anything further than this many scales from its centre is a broken value, and counts as missing."""


@dataclass(slots=True, eq=False)
class Memory:
    """What is kept of n assets with k remembered inputs.

    `first` and `last` [n] time of the first and the newest row, `begun` [n]; per input [n, k]: `count` of known values,
    `at` time of the newest, `mean`, `base`, `spread` (variance); per time constant [n, k, 3]: `level` and its `weight`;
    `past` [n, k, lags + 1] the newest values, newest first.
    """

    first: Ints
    last: Ints
    begun: NDArray[np.bool_]
    count: Floats
    at: Ints
    mean: Floats
    base: Floats
    spread: Floats
    level: Floats
    weight: Floats
    past: Floats

    @classmethod
    def of(cls, spec: FeatureSpec, assets: int) -> Memory:
        """Nothing is known yet."""
        inputs = len(spec.remembered)
        flat, deep = (assets, inputs), (assets, inputs, CONSTANTS)
        zeros = np.zeros
        return cls(
            first=zeros(assets, np.int64),
            last=zeros(assets, np.int64),
            begun=zeros(assets, np.bool_),
            count=zeros(flat),
            at=zeros(flat, np.int64),
            mean=zeros(flat),
            base=zeros(flat),
            spread=zeros(flat),
            level=zeros(deep),
            weight=zeros(deep),
            past=zeros((*flat, spec.lags + 1)),
        )

    def take(self, rows: Any) -> Memory:
        """The chosen assets: a view for a slice, a copy for indices."""
        return Memory(*(getattr(self, field.name)[rows] for field in fields(self)))

    def put(self, rows: Any, other: Memory) -> None:
        """Write the chosen assets back."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)


def step(spec: FeatureSpec, memory: Memory, time: Ints, values: Floats) -> Matrix:
    """Features [n, f] of the next row of n assets, which `memory` remembers afterwards.

    `time` [n] in the unit of the specification, `values` [n, inputs] raw. A row that is not newer than what its asset
    had changes nothing, and its features are NaN.
    """
    with np.errstate(all="ignore"):
        fresh = ~memory.begun | (time > memory.last)
        scaled, regime = _scaled(spec, values)
        scaled = _mixed(spec, scaled)
        where = [spec.columns.index(name) for name in spec.remembered]
        remembered = _remember(spec, memory, time, np.where(fresh[:, None], scaled[:, where], np.nan))
        memory.first[:] = np.where(memory.begun, memory.first, time)
        memory.last[:] = np.where(fresh, time, memory.last)
        memory.begun[:] = True
        plain = [spec.columns.index(name) for name in spec.plain_columns]
        parts = [*remembered, scaled[:, plain], *_pairs(spec, values)]
        if len(spec.regimes) > 1:
            parts.append(regime[:, None].astype(np.float64))
        if spec.age:
            parts.append(((time - memory.first) / spec.step)[:, None])
        out = np.concatenate(parts, axis=1).astype(np.float32)
    out[np.isnan(out) | ~fresh[:, None]] = np.nan  # one NaN: IEEE 754 leaves its sign and payload open
    return out


def _scaled(spec: FeatureSpec, values: Floats) -> tuple[Floats, Ints]:
    """Inputs [n, inputs] in the scale of their regime, and the regime [n]."""
    regime = _regime(spec, values)
    centre, scale = np.array(spec.centre)[regime], np.array(spec.scale)[regime]
    return _sound((values - centre) / scale), regime


def _mixed(spec: FeatureSpec, scaled: Floats) -> Floats:
    """Inputs and mixes [n, columns]; summed one by one, so that the order of the additions is fixed."""
    mixes = []
    for _, weights in spec.mixes:
        total = np.zeros(len(scaled))
        for j, weight in enumerate(weights):
            total += weight * np.where(np.isnan(scaled[:, j]), 0.0, scaled[:, j])
        mixes.append(np.where(np.isnan(scaled).all(axis=1), np.nan, total)[:, None])
    return np.concatenate([scaled, *mixes], axis=1)


def _regime(spec: FeatureSpec, values: Floats) -> Ints:
    """The nearest centre; a missing setting counts as equally far from all."""
    if len(spec.regimes) < 2:
        return np.zeros(len(values), np.int64)
    distance = np.zeros((len(values), len(spec.regimes)))
    for j, name in enumerate(spec.settings):
        setting = values[:, spec.inputs.index(name), None]
        away = (setting - np.array([centre[j] for centre in spec.regimes])) / spec.regime_scale[j]
        distance += np.where(np.isfinite(away), away * away, 0.0)
    nearest: Ints = distance.argmin(axis=1).astype(np.int64)
    return nearest


def _sound(x: Floats) -> Floats:
    return np.where(np.abs(x) <= _LARGEST, x, np.nan)


def _pairs(spec: FeatureSpec, values: Floats) -> list[Floats]:
    found = []
    for kind, a, b, centre, scale in spec.pairs:
        x, y = values[:, spec.inputs.index(a)], values[:, spec.inputs.index(b)]
        joined = joined_pair(kind, x, y)
        found.append(_sound((joined - centre) / scale)[:, None])
    return found


def joined_pair(kind: str, x: Floats, y: Floats) -> Floats:
    """Product, difference or ratio [n]; what is not finite is NaN.

    >>> joined_pair("ratio", np.array([1.0]), np.array([4.0])).tolist()
    [0.25]
    """
    with np.errstate(all="ignore"):
        joined: Floats = x * y if kind == "product" else x - y if kind == "difference" else x / y
    return np.where(np.isfinite(joined), joined, np.nan)


def _remember(spec: FeatureSpec, memory: Memory, time: Ints, x: Floats) -> list[Floats]:
    """Take in x [n, k] (NaN: nothing to take in); the `kept` features of each, NaN where nothing was ever known."""
    known = ~np.isnan(x)
    elapsed = np.where(memory.count > 0, (time[:, None] - memory.at) / spec.step, 1.0)
    memory.at[:] = np.where(known, time[:, None], memory.at)
    memory.count[:] = np.where(known, memory.count + 1.0, memory.count)
    before = memory.level[:, :, 1].copy()
    for i, constant in enumerate(spec.constants):
        share = elapsed / (constant + elapsed)
        _towards(memory.level[:, :, i], memory.weight[:, :, i], share, x, known)
    _spread(memory, elapsed / (spec.constants[2] + elapsed), x - before, known)
    _averages(memory, spec.baseline, x, known)
    ever = memory.count > 0
    fast, middle, slow = (memory.level[:, :, i] for i in range(CONSTANTS))
    told: dict[str, Callable[[], Floats]] = {
        "fast": lambda: fast,
        "middle": lambda: middle,
        "slow": lambda: slow,
        "trend": lambda: fast - slow,
        "rise": lambda: middle - slow,
        "drift": lambda: middle - memory.base,
        "spread": lambda: np.sqrt(memory.spread),
        "mean": lambda: memory.mean,
    }
    found = [told[what]() for what in spec.told]
    if spec.lags:
        _shift(memory, x, known)
        found += [np.where(known, x, np.nan), *(memory.past[:, :, i + 1] for i in range(spec.lags))]
    return [np.where(ever, one, np.nan) for one in found]


def _towards(level: Floats, weight: Floats, share: Floats, x: Floats, known: NDArray[np.bool_]) -> None:
    """A first-order lag whose first values count fully: the weights of the past are normalised."""
    total = weight + share * (1.0 - weight)
    moved = level + (share / total) * (x - level)
    level[:] = np.where(known, moved, level)
    weight[:] = np.where(known, total, weight)


def _spread(memory: Memory, share: Floats, away: Floats, known: NDArray[np.bool_]) -> None:
    """Exponentially weighted variance around the middle mean as it was before; nothing from an asset's first value."""
    away = np.where(memory.count > 1, away, 0.0)
    moved = memory.spread + share * (away * away - memory.spread)
    memory.spread[:] = np.where(known, moved, memory.spread)


def _shift(memory: Memory, x: Floats, known: NDArray[np.bool_]) -> None:
    """The newest known values move on by one; before its first value an asset was as it is at that value."""
    moved = np.concatenate([x[:, :, None], memory.past[:, :, :-1]], axis=2)
    moved = np.where((memory.count == 1.0)[:, :, None], x[:, :, None], moved)
    memory.past[:] = np.where(known[:, :, None], moved, memory.past)


def _averages(memory: Memory, baseline: int, x: Floats, known: NDArray[np.bool_]) -> None:
    """Mean of the whole life, and of its first values only."""
    moved = memory.mean + (x - memory.mean) / memory.count
    memory.mean[:] = np.where(known, moved, memory.mean)
    memory.base[:] = np.where(known & (memory.count <= baseline), memory.mean, memory.base)
