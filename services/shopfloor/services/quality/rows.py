"""From stored values to rows of a chart: tags joined by time, parts once, counters as what they counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from shopfloor.plant.config import ChartSection
from shopfloor.plant.config.quality import ATTRIBUTE
from shopfloor.plant.quality import severity
from shopfloor.services.quality.subgroups import Counted, Measured

Column = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint32]]


class Rows:
    """Makes rows of what a `Reader` answers for the tags of one chart; it remembers what holds until the next time.

    `left_out` counts values that are bad: they are in no subgroup. Parts and counters hold until they change.
    """

    def __init__(self, chart: ChartSection, asset: str) -> None:
        self._chart, self._asset = chart, asset
        self._counts = chart.chart in ATTRIBUTE
        self._part = np.nan
        self._held: dict[str, float] = {}
        self._inspected = 0.0
        self.left_out = 0

    @property
    def paths(self) -> list[str]:
        """Full path of every tag that the chart reads."""
        return list(dict.fromkeys(f"{self._asset}/{name}" for _, name in self._chart.tags()))

    def take(self, table: pa.Table, start: int = 0) -> Measured | Counted:
        """The rows of stored values that are newer than all before; those before `start` (UTC ns) only hold."""
        rows = self._counted(table) if self._counts else self._measured(table)
        return rows.cut(rows.time >= start)

    def _measured(self, table: pa.Table) -> Measured:
        time, value, quality = self._column(table, self._chart.tag)
        self.left_out += int(np.sum(bad := (severity(quality) >= 2) | np.isnan(value)))
        time, value, quality = time[~bad], value[~bad], quality[~bad]
        if self._chart.part:
            part = self._as_of(table, self._chart.part, time)
            fresh = np.diff(part, prepend=self._part) != 0
            fresh &= ~np.isnan(part)
            self._part = part[-1] if len(part) else self._part
            time, value, quality = time[fresh], value[fresh], quality[fresh]
        return Measured(time, value, quality, self._number(table, time))

    def _number(self, table: pa.Table, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the subgroup by the counter of parts; 0 where none counts."""
        group = self._chart.subgroup
        if group is None or not group.parts or not group.counter:
            return np.zeros(len(time), np.int64)
        counted = self._as_of(table, group.counter, time)
        number: NDArray[np.int64] = np.floor(np.nan_to_num(counted) / group.parts).astype(np.int64)
        return number

    def _as_of(self, table: pa.Table, name: str, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """What a tag held at each time, a change at that very time included; NaN before its first value."""
        known, value, quality = self._column(table, name)
        good = (severity(quality) < 2) & ~np.isnan(value)
        known, value = known[good], np.concatenate([[self._held.get(name, np.nan)], value[good]])
        self._held[name] = float(value[-1])
        answer: NDArray[np.float64] = value[np.searchsorted(known, time, side="right")]
        return answer

    def _counted(self, table: pa.Table) -> Counted:
        wrong, inspected = self._steps(table, self._chart.tag), self._none()
        if self._chart.inspected:
            inspected = self._steps(table, self._chart.inspected)
        group = self._chart.subgroup
        if group is not None and group.counter and group.counter != self._chart.inspected:
            counted = self._steps(table, group.counter)
        else:
            counted = inspected
        return self._merged(wrong, inspected, counted, group.parts if group else None)

    def _merged(self, wrong: Column, inspected: Column, counted: Column, parts: int | None) -> Counted:
        """In order of time; at one time, what was inspected before what was wrong with it."""
        sources = [counted, inspected, wrong] if counted is not inspected else [inspected, wrong]
        time = np.concatenate([source[0] for source in sources])
        order = np.argsort(time, kind="stable")
        zero = [np.zeros(len(source[0])) for source in sources]
        wrongs = np.concatenate([*zero[:-1], wrong[1]])[order]
        seen = np.concatenate([*zero[:-2], inspected[1], zero[-1]])[order]
        passed = np.concatenate([counted[1], *zero[1:]])[order]
        total = self._inspected + np.cumsum(passed)
        self._inspected = float(total[-1]) if len(total) else self._inspected
        number = np.ceil(total / parts).astype(np.int64) if parts else np.zeros(len(time), np.int64)
        quality = np.concatenate([source[2] for source in sources])[order]
        return Counted(time[order], wrongs, seen, quality, np.maximum(number, 1))

    def _steps(self, table: pa.Table, name: str) -> Column:
        """What a counter counted with each value; after a fall the new number, nothing with its first value ever."""
        time, value, quality = self._column(table, name)
        self.left_out += int(np.sum(bad := (severity(quality) >= 2) | np.isnan(value)))
        time, value, quality = time[~bad], value[~bad], quality[~bad]
        step = np.diff(value, prepend=self._held.get(name, np.nan))
        step = np.where(np.isnan(step), 0.0, np.where(step < 0, value, step))
        if len(value):
            self._held[name] = float(value[-1])
        return time, step, quality

    def _column(self, table: pa.Table, name: str) -> Column:
        chosen = table.filter(pc.equal(table.column("tag").cast(pa.string()), f"{self._asset}/{name}"))
        return (
            _numbers(chosen, "time", np.int64),
            _numbers(chosen, "value", np.float64),
            _numbers(chosen, "quality", np.uint32),
        )

    def _none(self) -> Column:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint32)


def _numbers(table: pa.Table, name: str, kind: Any) -> NDArray[Any]:
    column = table.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    answer: NDArray[Any] = column.to_numpy().astype(kind)
    return answer
