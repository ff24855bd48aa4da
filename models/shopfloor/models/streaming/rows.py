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
Sample = Callable[[Ints], Floats]


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
    return described(spec, lambda moments: sampled(spec, assets, moments), len(assets), start, end)


def described(spec: StreamSpec, sample: Sample, assets: int, start: int, end: int) -> Iterator[Rows]:
    """As `rows`, of inputs [t, assets, inputs] that `sample` tells of moments [t]: each once, one after the other."""
    width, per = spec.lookback * SECOND, spec.per_lookback
    several = max(_AT_ONCE // (per * max(assets, 1)), 1)
    before: Floats | None = None
    for first in range(start // width, -(-end // width), several):
        low, high = first * width, min((first + several) * width, end)
        if not spec.features.remembered:
            yield _plain(spec, sample, spec.moments(max(low, start), high))
            continue
        before = sample(spec.moments(low - width, low)) if before is None else before
        moments = spec.moments(low, high)
        values = np.full((-(-len(moments) // per) * per, *before.shape[1:]), np.nan)
        values[: len(moments)] = sample(moments)
        yield _pieces(spec, np.concatenate([before, values]), moments, int(np.searchsorted(moments, start)))
        before = values[-per:]


def _plain(spec: StreamSpec, sample: Sample, time: Ints) -> Rows:
    """Without a memory every row stands for itself."""
    values = sample(time)
    n = values.shape[1]
    x = _described(spec, Memory.of(spec.features, len(time) * n), np.repeat(time, n), values)
    return Rows(time, x.reshape(len(time), n, -1), _any(values))


def _pieces(spec: StreamSpec, values: Floats, moments: Ints, skip: int) -> Rows:
    """The rows of moments [t] but the first `skip`, from the inputs of one lookback before them on."""
    per, n = spec.per_lookback, values.shape[1]
    pieces = len(values) // per - 1
    times = int(moments[0] if len(moments) else 0) + np.arange(-per, pieces * per) * spec.every * SECOND
    steps = 2 * per if pieces > 1 else per + len(moments)
    x = _side_by_side(spec, values.reshape(pieces + 1, per, n, -1), times.reshape(pieces + 1, per), steps)
    kept = slice(skip, len(moments))
    return Rows(moments[kept], x.reshape(pieces * per, n, -1)[kept], _any(values[per:][kept]))


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
