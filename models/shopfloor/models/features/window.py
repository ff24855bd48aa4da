"""Raw windows as plain arrays, to be sealed beside the features that they must give: proof of the feature code itself.

A window of a machine is the rows of its last parts: times (ns since the window begins), ids, `parts.NUMBERS`. One of a
line of pots is its last bins: the number of the bin (of which the blocks of the clock are made), then `bins.NUMBERS` of
each pot. Both begin in the middle of nowhere, as live judging does after a start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.models import bins
from shopfloor.models.bins import BIN, Bins
from shopfloor.models.columns import Floats
from shopfloor.models.features.history import pot_history
from shopfloor.models.features.matrix import Matrix
from shopfloor.models.features.part import part_features
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.models.parts import NUMBERS, Parts

_PARTS: Final = 40
_BINS: Final = 200
_POTS: Final = 3
_WINDOWS: Final = 4
_KEYS: Final = 4
_LARGEST: Final = 2.0**53
"""Whole numbers below it are exact."""


def part_windows(machines: Mapping[str, Parts]) -> Floats:
    """A few windows [g, parts, columns] of machines that finished enough parts; g is 0 where none did."""
    long = [parts for _, parts in sorted(machines.items()) if len(parts) >= _PARTS][:_WINDOWS]
    return np.stack([_of_parts(parts.take(slice(-_PARTS, None))) for parts in long]) if long else np.empty((0, 0, 0))


def _of_parts(parts: Parts) -> Floats:
    begin = parts.start[0]
    keys = [parts.start - begin, parts.end - begin, parts.part, parts.tool]
    return np.column_stack([*keys, parts.values]).astype(np.float64)


def pot_windows(line: Bins) -> Floats:
    """A few windows [g, bins, columns] of the first pots of a line, spread over its history."""
    if len(line) < _BINS:
        return np.empty((0, 0, 0))
    ends = np.unique(np.linspace(_BINS, len(line), _WINDOWS).astype(np.int64))
    return np.stack([_of_pots(line.take(slice(int(end) - _BINS, int(end)))) for end in ends])


def _of_pots(line: Bins) -> Floats:
    values = line.values[:, :_POTS].reshape(len(line), -1)
    return np.column_stack([line.time // BIN, values]).astype(np.float64)


def _part_rows(windows: Floats) -> Matrix:
    _expect(windows, _KEYS, windows.shape[-1] == _KEYS + len(NUMBERS))
    rows = [part_features(_parts(window), np.array([len(window) - 1])) for window in windows]
    return np.concatenate(rows)


def _parts(window: Floats) -> Parts:
    start, end, part, tool = window[:, :_KEYS].T.astype(np.int64)
    return Parts(start, end, part, tool, window[:, _KEYS:])


def _pot_rows(windows: Floats) -> Matrix:
    _expect(windows, 1, windows.shape[-1] % len(bins.NUMBERS) == 1 and windows.shape[-1] > 1)
    return np.concatenate([pot_history(_bins(window), np.array([len(window) - 1]))[0] for window in windows])


def _bins(window: Floats) -> Bins:
    values = window[:, 1:].astype(np.float32).reshape(len(window), -1, len(bins.NUMBERS))
    names = tuple(f"pot-{i}" for i in range(values.shape[1]))
    return Bins(window[:, 0].astype(np.int64) * BIN, names, values)


def _expect(windows: NDArray[Any], keys: int, fits: bool) -> None:
    if windows.ndim != 3 or not windows.size or not fits or not bool((np.abs(windows[:, :, :keys]) < _LARGEST).all()):
        raise ValueError("its golden windows are none of parts or bins")


DESCRIBE: Final[Mapping[str, Callable[[Floats], Matrix]]] = {MACHINE: _part_rows, POT: _pot_rows}
"""By asset type: the golden features [rows, f] of windows [g, t, columns], a row per window, or per pot of it."""
