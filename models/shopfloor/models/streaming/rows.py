"""Rows of features at moments: of a whole history, or going on from one moment to the next, equal to the last bit.

A history is cut where memories begin anew, so the pieces are described side by side, as if each were an asset of its
own. A row depends neither on what is beside it nor on where the history was cut (see `spec.memory`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models.columns import SECOND, Columns, Floats, Ints
from shopfloor.models.spec.memory import Matrix, Memory, step
from shopfloor.models.streaming.held import sampled
from shopfloor.models.streaming.streamspec import StreamSpec

_AT_ONCE: Final = 1 << 18
"""Rows that are described side by side."""
MOST_GOLDEN_STEPS: Final = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features `x` [t, n, f] of n assets at `time` [t] (UTC ns); `known` [t, n] where any input is known."""

    time: Ints
    x: Matrix
    known: NDArray[np.bool_]


def rows(spec: StreamSpec, assets: Sequence[Columns], start: int, end: int) -> Rows:
    """The rows of all moments in [start, end) UTC ns, of good values of n assets from `spec.since(start)` on."""
    found = list(blocks(spec, assets, start, end))
    if not found:
        nothing = np.empty((0, len(assets), len(spec.features.names)), np.float32)
        return Rows(np.empty(0, np.int64), nothing, np.empty((0, len(assets)), bool))
    return Rows(*(np.concatenate([getattr(one, key) for one in found]) for key in ("time", "x", "known")))


def blocks(spec: StreamSpec, assets: Sequence[Columns], start: int, end: int) -> Iterator[Rows]:
    """As `rows`, piece by piece, so that memory stays small."""
    width = spec.lookback * SECOND
    several = max(_AT_ONCE // (spec.per_lookback * max(len(assets), 1)), 1)
    for first in range(start // width, -(-end // width), several):
        low, high = max(first * width, start), min((first + several) * width, end)
        if len(spec.moments(low, high)):
            yield _block(spec, assets, low, high)


def _block(spec: StreamSpec, assets: Sequence[Columns], start: int, end: int) -> Rows:
    time = spec.moments(start, end)
    if not spec.features.remembered:
        values = sampled(spec, assets, time)
        x = _described(spec, Memory.of(spec.features, time.size * len(assets)), np.repeat(time, len(assets)), values)
        return Rows(time, x.reshape(len(time), len(assets), -1), _any(values))
    width, per = spec.lookback * SECOND, spec.per_lookback
    first, pieces = start // width, -(-end // width) - start // width
    moments = spec.moments((first - 1) * width, (first + pieces) * width)
    values = sampled(spec, assets, moments).reshape(pieces + 1, per, len(assets), len(spec.tags))
    steps = 2 * per if pieces > 1 else per + len(spec.moments(first * width, end))
    x = _side_by_side(spec, values, moments.reshape(pieces + 1, per), steps)
    chosen = slice(int(np.searchsorted(moments, time[0])) - per, int(np.searchsorted(moments, time[-1])) + 1 - per)
    known = _any(values[1:].reshape(-1, len(assets), len(spec.tags))[chosen])
    return Rows(time, x.reshape(pieces * per, len(assets), -1)[chosen], known)


def _side_by_side(spec: StreamSpec, values: Floats, moments: Ints, steps: int) -> Matrix:
    """Features [pieces, per, n, f] from values [pieces + 1, per, n, inputs] at moments [pieces + 1, per]."""
    pieces, per, n = len(values) - 1, values.shape[1], values.shape[2]
    memory = Memory.of(spec.features, pieces * n)
    out = np.full((pieces, per, n, len(spec.features.names)), np.nan, np.float32)
    for j in range(steps):
        piece, place = (slice(0, pieces), j) if j < per else (slice(1, pieces + 1), j - per)
        x = _described(spec, memory, np.repeat(moments[piece, place], n), values[piece, place])
        if j >= per:
            out[:, place] = x.reshape(pieces, n, -1)
    return out


def _described(spec: StreamSpec, memory: Memory, time: Ints, values: Floats) -> Matrix:
    return step(spec.features, memory, time, np.ascontiguousarray(values).reshape(-1, len(spec.tags)))


@dataclass(slots=True, eq=False)
class Running:
    """Goes on from moment to moment, as long as its memory serves: up to `until` (UTC ns), then it is begun anew.

    >>> spec = StreamSpec.of(("load",), every=10, hold=60, lookback=60, remembered=("load",))
    >>> Running.begun(spec, [{}, {}], 120 * SECOND).until // SECOND
    180
    """

    spec: StreamSpec
    memory: Memory
    until: int

    @classmethod
    def fresh(cls, spec: StreamSpec, assets: int, moment: int) -> Running:
        """Nothing is remembered yet: takes the moments from `spec.begin_of(moment)` on."""
        width = spec.lookback * SECOND
        return cls(spec, Memory.of(spec.features, assets), (moment // width + 1) * width)

    @classmethod
    def begun(cls, spec: StreamSpec, assets: Sequence[Columns], moment: int) -> Running:
        """Ready for `moment`, from good values of n assets from `spec.since(moment)` on, up to before it."""
        running = cls.fresh(spec, len(assets), moment)
        before = spec.moments(spec.begin_of(moment), moment)
        running.take(before, sampled(spec, assets, before))
        return running

    def take(self, moments: Ints, values: Floats) -> Rows:
        """The rows of the next moments [t], all before `until`, from inputs [t, n, inputs] as `sampled` gives them."""
        spec, shape = self.spec, (*values.shape[:2], len(self.spec.features.names))
        if not spec.features.remembered:
            memory = Memory.of(spec.features, shape[0] * shape[1])
            x = _described(spec, memory, np.repeat(moments, shape[1]), values).reshape(shape)
            return Rows(moments, x, _any(values))
        out = np.empty(shape, np.float32)
        for i, moment in enumerate(moments):
            out[i] = _described(spec, self.memory, np.repeat(moment, shape[1]), values[i])
        return Rows(moments, out, _any(values))


def _any(values: Floats) -> NDArray[np.bool_]:
    return np.asarray((~np.isnan(values)).any(axis=2))


def describe(spec: StreamSpec) -> Callable[[NDArray[Any]], Matrix]:
    """The function from raw windows [n, moments, inputs] to features [n, f] that `check_golden` asks for.

    A window holds the inputs at consecutive moments, from where its memory began to the moment that is judged.
    """

    def described(windows: NDArray[Any]) -> Matrix:
        if windows.ndim != 3 or not 0 < windows.shape[1] <= MOST_GOLDEN_STEPS or windows.shape[2] != len(spec.tags):
            raise ValueError(
                f"its golden windows are {windows.shape}: expected are windows of at most {MOST_GOLDEN_STEPS} moments"
                f" with {len(spec.tags)} inputs"
            )
        memory = Memory.of(spec.features, len(windows))
        for i in range(windows.shape[1]):
            time = np.full(len(windows), i * spec.every * SECOND, np.int64)
            x = _described(spec, memory, time, np.asarray(windows[:, i], np.float64))
        return x

    return described
