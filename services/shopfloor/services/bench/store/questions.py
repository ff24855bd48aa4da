"""What is asked of every store, and the data that it is asked of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.bench.store.signals import Shape
from shopfloor.services.bench.store.workload import SECOND, START, Load, day, history, month, plant

HOUR: Final = 3600 * SECOND

Kind = Literal["latest", "raw", "buckets", "by_asset"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question: what kind, of which tags, from `start` to before `end` in buckets of `every` (UTC ns).

    `rows` says to answer from the rows themselves where a store keeps summaries.
    """

    name: str
    title: str
    kind: Kind
    tags: Sequence[str] = ()
    start: int = 0
    end: int = 0
    every: int = 0
    rows: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """How many rows, buckets, tags or assets came, and the sum of their numbers: what stores must agree on."""

    n: int
    total: float

    def agrees(self, other: Answer) -> bool:
        """Whether the two say the same, to what text and summation in another order leave of a float64."""
        return self.n == other.n and bool(np.isclose(self.total, other.total, rtol=1e-9))


@dataclass(frozen=True, slots=True)
class Data:
    """A plant in full flow for `plant_s`, then its first asset alone up to `fast_s`; before it a day and a month.

    History has no bad values, so that every store means the same by a mean: ours leaves bad values out of it. Of the 20
    tags of the month, only `month_tags` have one.
    """

    plant_s: int = 330
    fast_s: int = 600
    hours: float = 24
    days: int = 30
    month_tags: int = 20

    def batches(self) -> Iterator[Batch]:
        """Everything, history first."""
        yield from history(self.day)
        yield from (_only(batch, self._months) for batch in history(self.month))
        for second, batch in enumerate(plant().batches(max(self.plant_s, self.fast_s))):
            yield batch if second < self.plant_s else _only(batch, self._first_asset)

    def questions(self) -> list[Question]:
        """What is asked of it."""
        end = START + max(self.plant_s, self.fast_s) * SECOND
        fast, hour = plant().of(Shape.VIBRATION)[:1], min(round(self.hours * HOUR), HOUR)
        month = Question(
            "Q5", f"one tag, {self.days} d by hour", "buckets", self._months[:1], self.month.start, START, HOUR
        )
        day = Question(
            "Q4", f"100 tags x {self.hours:g} h, mean by asset", "by_asset", self.day.names, self.day.start, START,
            round(self.hours * HOUR),
        )  # fmt: skip
        return [
            Question("Q1", "latest value of every tag", "latest", end=end),
            Question("Q2", "one tag, 1 h raw", "raw", self.day.names[:1], START - hour, START),
            Question("Q2b", "one 100 Hz tag, 10 min raw", "raw", fast, START, end),
            replace(month, name="Q3", title=f"one tag, {self.days} d in 960 buckets", every=self.days * 90 * SECOND),
            day,
            replace(day, name="Q4r", title="the same from rows", rows=True),
            month,
        ]

    @property
    def day(self) -> Load:
        """The 100 tags of a day."""
        return replace(day(self.hours), bad=0.0)

    @property
    def month(self) -> Load:
        """The 20 tags of a month."""
        return replace(month(self.days), bad=0.0)

    @property
    def _months(self) -> tuple[str, ...]:
        """The noisy tag first: it is the one that is asked for."""
        names = self.month.names
        return tuple(sorted(names, key=lambda name: "noisy" not in name))[: self.month_tags]

    @property
    def _first_asset(self) -> tuple[str, ...]:
        load = plant()
        return load.names[: len(load.shapes)]


def _only(batch: Batch, tags: Sequence[str]) -> Batch:
    wanted = set(tags)
    return batch.take(np.array([name in wanted for name in batch.names])[batch.tag]).used()
