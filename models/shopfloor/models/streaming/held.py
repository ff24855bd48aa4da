"""Values of tags at moments: the newest good one, as long as it is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.models.columns import SECOND, Columns, Floats, Ints, Steps, columns
from shopfloor.models.streaming.streamspec import StreamSpec

_BAD: Final = 0x8000_0000


def good_columns(table: pa.Table) -> dict[str, dict[str, Steps]]:
    """Asset path -> tag name -> good values, from what `Reader.read` answers: what is bad or not finite is no value.

    A tag without any is not there.
    """
    good = pc.less(table.column("quality"), pa.scalar(_BAD, table.schema.field("quality").type))
    return {asset: _known(tags) for asset, tags in columns(table.filter(good)).items()}


def _known(tags: Columns) -> dict[str, Steps]:
    found = {}
    for name, steps in tags.items():
        known = np.ones(len(steps.time), bool) if steps.value.dtype == object else np.isfinite(steps.value)
        if known.all():
            found[name] = steps
        elif known.any():
            found[name] = Steps(steps.time[known], steps.value[known])
    return found


def sampled(spec: StreamSpec, assets: Sequence[Columns], moments: Ints) -> Floats:
    """The inputs [moments, assets, inputs] of a specification: good values of each asset by tag, held at each moment.

    A text counts as its rank among the words of its input, NaN when it is none of them.

    >>> spec = StreamSpec.of(("load",), every=10, hold=15)
    >>> load = Steps(np.array([0, 12], np.int64) * SECOND, np.array([1.0, 2.0]))
    >>> sampled(spec, [{"load": load}], np.array([0, 10, 20, 30], np.int64) * SECOND).ravel().tolist()
    [1.0, 1.0, 2.0, nan]
    """
    out = np.full((len(moments), len(assets), len(spec.tags)), np.nan)
    words = dict(spec.features.levels)
    for j, (name, tag) in enumerate(zip(spec.features.inputs, spec.tags, strict=True)):
        for i, tags in enumerate(assets):
            steps = tags.get(tag)
            if steps is not None and len(steps.time):
                out[:, i, j] = _held(steps, words.get(name), moments, spec.hold * SECOND)
    return out


def _held(steps: Steps, words: tuple[str, ...] | None, moments: Ints, hold: int) -> Floats:
    row = np.searchsorted(steps.time, moments, "right") - 1
    place = np.maximum(row, 0)
    value = _numbers(steps.value[place], words)
    return np.where((row >= 0) & (moments - steps.time[place] < hold), value, np.nan)


def _numbers(values: NDArray[np.generic], words: tuple[str, ...] | None) -> Floats:
    if values.dtype != object:
        return values.astype(np.float64) if words is None else np.full(len(values), np.nan)
    rank: Mapping[str, float] = {word: float(i) for i, word in enumerate(words or ())}
    return np.array([rank.get(str(value), np.nan) for value in values], np.float64)
