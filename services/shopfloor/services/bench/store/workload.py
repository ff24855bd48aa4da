"""A plant's worth of values: the same seed gives the same batches.

10,000 tags at 1 Hz (60 % slow with a deadband of 0.2, 20 % noisy float32, 10 % counters, 10 % booleans; every second
tag stamped by its source up to 2 ms off the grid, in whole milliseconds) and 200 tags at 100 Hz (vibration, float32)
on 100 assets: 30,000 values a second, 0.1 % of them with a bad quality, in one batch a second. Beside it history for
the questions: 20 tags over 30 days and 100 tags over 24 hours, at 1 Hz.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Batch
from shopfloor.plant.quality import BAD_SENSOR_FAILURE
from shopfloor.services.bench.store.signals import Shape, Signals, Values

START: Final = 1_780_272_000_000_000_000
"""2026-06-01 00:00 UTC: history ends here, and the plant begins."""

SECOND: Final = 1_000_000_000
_MS: Final = 1_000_000
_DAY_S: Final = 86_400
_JITTER_MS: Final = 2
_STRETCH_S: Final = 20
_BATCH_ROWS: Final = 30_000
_MIX: Final = ((Shape.SLOW, 6), (Shape.NOISY, 2), (Shape.COUNTER, 1), (Shape.BOOLEAN, 1))
"""Tags of each shape in ten."""

_Block = tuple[NDArray[np.int64], Values, NDArray[np.uint32]]


@dataclass(frozen=True, slots=True)
class Load:
    """Tags on assets: `assets` times ten times `tens` at 1 Hz, and `fast` at 100 Hz on each asset; `bad` is a share.

    >>> load = Load("line", assets=2, tens=1, fast=1)
    >>> [len(batch) for batch in load.batches(2)]
    [220, 220]
    >>> len(load.names), load.names[0]
    (22, 'bench/line/line-0/cell/asset-000/slow-000')
    """

    area: str
    assets: int
    tens: int
    fast: int = 0
    start: int = START
    seed: int = 1
    bad: float = 0.001

    @property
    def names(self) -> tuple[str, ...]:
        """Every tag, asset by asset; on an asset in the order of `shapes`."""
        return tuple(name for name, _ in self._tags())

    @property
    def paths(self) -> tuple[str, ...]:
        """Every asset."""
        return tuple(f"bench/{self.area}/line-{n // 10}/cell/asset-{n:03}" for n in range(self.assets))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape of each tag of an asset."""
        slow = [shape for shape, share in _MIX for _ in range(share * self.tens)]
        return (*slow, *[Shape.VIBRATION] * self.fast)

    @property
    def rate(self) -> int:
        """Values per second."""
        return self.assets * (10 * self.tens + 100 * self.fast)

    def of(self, shape: Shape) -> tuple[str, ...]:
        """The tags of a shape."""
        return tuple(name for name, one in self._tags() if one is shape)

    def batches(self, seconds: int, each: int = 1, only: Sequence[Shape] = tuple(Shape)) -> Iterator[Batch]:
        """One batch for every `each` seconds, tag by tag in it; with `only`, of the tags of these shapes.

        `seconds` is a multiple of `each`.
        """
        names = tuple(name for name, shape in self._tags() if shape in only)
        strands = self._strands([shape for shape in Shape if shape in only and shape in self.shapes])
        order = np.argsort(np.concatenate([strand.index(each) for strand in strands]), kind="stable")
        index = np.concatenate([strand.index(each) for strand in strands])[order].astype(np.int32)
        stretch = max(_STRETCH_S // each, 1) * each
        for begun in range(0, seconds, stretch):
            blocks = [strand.take(self.start + begun * SECOND, stretch) for strand in strands]
            for at in range(0, min(stretch, seconds - begun), each):
                time, value, quality = (
                    np.concatenate([part.ravel() for part in column])[order]
                    for column in _cut(strands, blocks, at, each)
                )
                yield Batch(names, index, time, value, quality)

    def _tags(self) -> list[tuple[str, Shape]]:
        names = [f"{shape}-{self.shapes[:at].count(shape):03}" for at, shape in enumerate(self.shapes)]
        return [
            (f"{asset}/{name}", shape) for asset in self.paths for name, shape in zip(names, self.shapes, strict=True)
        ]

    def _strands(self, shapes: Sequence[Shape]) -> list[_Strand]:
        every = [shape for _, shape in self._tags() if shape in shapes]
        chance = np.random.default_rng(self.seed)
        places = [np.flatnonzero([one is shape for one in every]) for shape in shapes]
        return [
            _Strand(shape, place, self.bad, chance.spawn(1)[0]) for shape, place in zip(shapes, places, strict=True)
        ]


class _Strand:
    """The tags of one shape, at these places in the names of a batch."""

    def __init__(self, shape: Shape, places: NDArray[np.int64], bad: float, chance: np.random.Generator) -> None:
        self.hz = 100 if shape is Shape.VIBRATION else 1
        self._places, self._bad, self._chance = places, bad, chance
        self._signals = Signals(shape, len(places), chance.spawn(1)[0])

    def index(self, seconds: int) -> NDArray[np.int64]:
        """The place of every row of a batch of some seconds."""
        return np.repeat(self._places, seconds * self.hz)

    def take(self, start: int, seconds: int) -> _Block:
        """Time, value and quality of the next seconds, each with a line per tag."""
        size = (len(self._places), seconds * self.hz)
        time = np.broadcast_to(start + np.arange(size[1]) * (SECOND // self.hz), size).copy()
        if self.hz == 1:
            time[1::2] += self._chance.integers(-_JITTER_MS, _JITTER_MS + 1, time[1::2].shape) * _MS
        bad = self._chance.random(size, np.float32) < self._bad
        return time, self._signals.take(size[1]), np.where(bad, np.uint32(BAD_SENSOR_FAILURE), np.uint32(0))


def _cut(strands: Sequence[_Strand], blocks: Sequence[_Block], at: int, each: int) -> Iterator[list[NDArray[Any]]]:
    """The seconds from `at` of every block: all times, then all values, then all qualities."""
    for column in range(3):
        yield [
            block[column][:, at * strand.hz : (at + each) * strand.hz]
            for strand, block in zip(strands, blocks, strict=True)
        ]


def plant() -> Load:
    """The plant of 30,000 values a second, from `START` on."""
    return Load("plant", assets=100, tens=10, fast=2)


def month(days: int = 30) -> Load:
    """20 tags whose history of `days` days ends at `START`."""
    return Load("month", assets=2, tens=1, start=START - days * _DAY_S * SECOND, seed=2)


def day(hours: float = 24) -> Load:
    """100 tags on 10 assets whose history of `hours` hours ends at `START`."""
    return Load("day", assets=10, tens=1, start=START - round(hours * 3600) * SECOND, seed=3)


def history(load: Load, only: Sequence[Shape] = tuple(Shape)) -> Iterator[Batch]:
    """All batches of `month()` or `day()` up to `START`, of 30,000 values or a little less."""
    seconds = (START - load.start) // SECOND
    each = next(size for size in range(_BATCH_ROWS // load.rate, 0, -1) if seconds % size == 0)
    return load.batches(seconds, each, only)
