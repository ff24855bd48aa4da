"""A polling group: reads its registers, finds the one that the device refuses, reports what has changed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.modbus.link import SILENCE, WRONG_LENGTH, Link, RefusalError
from shopfloor.gateway.modbus.options import GroupOptions, ModbusOptions
from shopfloor.gateway.modbus.point import Point, Read, merge
from shopfloor.plant import Batch, Kind, SourceLost
from shopfloor.plant.counted import counted

_SPLIT: Final = frozenset({WRONG_LENGTH, 2, 3})
_AGAIN_S: Final = 60.0
_EMPTY: Final = {Kind.FLOAT: (np.float64, np.nan), Kind.INT: (np.int64, 0), Kind.TEXT: (object, "")}


@dataclass(slots=True)
class Schedule:
    """Due times that do not drift (monotonic s): a poll that takes too long leaves whole periods out, and they count.

    >>> schedule = Schedule([1.0], [0.0])
    >>> schedule.done(0, 0.4); schedule.next(), schedule.left_out
    ((0, 1.0), 0)
    >>> schedule.done(0, 3.5); schedule.next(), schedule.left_out
    ((0, 3.0), 1)
    """

    periods: Sequence[float]
    due: list[float]
    left_out: int = 0
    _late: float = -math.inf

    def next(self) -> tuple[int, float]:
        """The group that is due next, and when."""
        index = min(range(len(self.due)), key=self.due.__getitem__)
        return index, self.due[index]

    def done(self, index: int, now: float) -> None:
        """A poll has ended: the next one is a period later on the same grid."""
        period = self.periods[index]
        due = self.due[index] + period
        late = max(0, int((now - due) // period))
        if late:
            self.left_out += late
            self._late = now
        self.due[index] = due + late * period

    def sentence(self, took: float, now: float) -> str:
        """What to say about polls that were left out within the last minute; `took` s is the newest poll's time."""
        if now - self._late > _AGAIN_S:
            return ""
        return (
            f"{self.left_out} polls were left out so far, since a poll took longer than its 'every' (the last one"
            f" {took:.2f} s): poll less often, or fewer registers."
        )


@dataclass(slots=True)
class Group:
    """The points of one polling group and their newest readings, a row each."""

    options: GroupOptions
    points: tuple[Point, ...]
    reads: list[Read]
    plan: tuple[Read, ...]
    at: NDArray[np.int64]
    quality: NDArray[np.uint32]
    values: dict[Kind, NDArray[Any]]
    names: tuple[str, ...]
    rows_of: dict[Kind, NDArray[np.bool_]]
    refused: dict[int, RefusalError] = field(default_factory=dict)
    _said: tuple[NDArray[np.int64], NDArray[np.uint32], dict[Kind, NDArray[Any]]] | None = None
    _merged: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, group: GroupOptions, source: ModbusOptions) -> Self:
        """A group that has read nothing yet."""
        points = tuple(group.points(source))
        plan = merge(points, source.gap, source.largest)
        n = len(points)
        of = {kind: np.array([point.kind is kind for point in points]) for kind in Kind}
        of = {kind: mine for kind, mine in of.items() if mine.any()}
        values = {kind: np.full(n, _EMPTY[kind][1], _EMPTY[kind][0]) for kind in of}
        names = tuple(point.tag for point in points)
        at, quality = np.zeros(n, np.int64), np.zeros(n, np.uint32)
        return cls(group, points, plan, tuple(plan), at, quality, values, names, of)

    async def poll(self, link: Link, silent: set[int]) -> list[Batch]:
        """Read everything once and answer what is to be reported, a batch for each kind.

        `silent` holds the units that did not answer when last asked; it is kept up to date here.
        """
        if self.refused and time.monotonic() - self._merged > _AGAIN_S:
            self.reads, self._merged = list(self.plan), time.monotonic()
        self.refused.clear()
        asked: list[Read] = []
        given_up: set[int] = set()
        for read in self.reads:
            asked += await self._ask(read, link, silent, given_up)
        self.reads = asked
        return list(self._report())

    async def _ask(self, read: Read, link: Link, silent: set[int], given_up: set[int]) -> list[Read]:
        if read.unit in given_up:
            self._refuse(read, RefusalError(SILENCE))
            return [read]
        try:
            answer = await link.read(read)
        except RefusalError as refusal:
            if refusal.code == SILENCE:
                silent.add(read.unit)
                given_up.add(read.unit)
            else:
                silent.discard(read.unit)
            if refusal.code in _SPLIT and len(read.rows) > 1:
                return [part for half in read.halves() for part in await self._ask(half, link, silent, given_up)]
            self._refuse(read, refusal)
            return [read]
        silent.discard(read.unit)
        self._take(read, answer)
        return [read]

    def _take(self, read: Read, answer: NDArray[np.uint16]) -> None:
        now = time.time_ns()
        for cells in read.cells:
            value, status = cells.decode(answer)
            self.values[cells.points[0].kind][cells.rows] = value
            self.quality[cells.rows] = status
            self.at[cells.rows] = now

    def _refuse(self, read: Read, refusal: RefusalError) -> None:
        now = time.time_ns()
        for row, point in read.rows:
            self.values[point.kind][row] = _EMPTY[point.kind][1]
            self.quality[row], self.at[row] = refusal.status, now
            self.refused[row] = refusal

    def _report(self) -> Iterator[Batch]:
        new = self._new()
        for kind, mine in self.rows_of.items():
            rows = np.flatnonzero(new & mine)
            if len(rows):
                values = self.values[kind][rows]
                yield Batch(self.names, rows.astype(np.int32), self.at[rows], values, self.quality[rows])

    def _new(self) -> NDArray[np.bool_]:
        if self._said is None or self.options.report == "all":
            new = np.ones(len(self.points), bool)
        else:
            at, quality, values = self._said
            new = (quality != self.quality) | (self.at - at >= round(self.options.heartbeat * 1e9))
            for kind, column in values.items():
                new |= _differs(column, self.values[kind])
        at = self.at.copy() if self._said is None else np.where(new, self.at, self._said[0])
        self._said = at, self.quality.copy(), {kind: column.copy() for kind, column in self.values.items()}
        return new


def _differs(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    if one.dtype == np.float64:
        one, other = one.view(np.int64), other.view(np.int64)
    return np.asarray(one != other, bool)


def lost_when_silent(link: Link, silent: set[int], units: set[int]) -> None:
    """One silent unit behind a gateway is bad data; when none of them answers, the link is lost."""
    if silent >= units:
        raise SourceLost(
            f"{link.url} is connected and does not answer: check the unit id ({_listed(units)}) and that the"
            " device is not busy with another client."
        )


def trouble(groups: Sequence[Group]) -> str:
    """What a person should know of a device that is connected, in one sentence; empty when all is well."""
    refused = [(group.points[row], refusal) for group in groups for row, refusal in group.refused.items()]
    if not refused:
        return ""
    point, refusal = refused[0]
    many = f"{counted(len(refused), 'register')} cannot be read"
    return f"{many}, the first is {point.tag} ({point.place}): {refusal.words}; {_ADVICE.get(refusal.code, _ELSE)}."


_ELSE: Final = "see the device's manual and its display"
_ADVICE: Final = {
    SILENCE: "check the unit id and that the unit is switched on",
    1: "the device has no such table: check 'table'",
    2: "check 'address', which counts from 0, and 'table'",
    3: "check the type and its length, or lower 'largest'",
    11: "check the unit id and that the unit behind the gateway is switched on",
}


def _listed(units: set[int]) -> str:
    return ", ".join(str(unit) for unit in sorted(units)[:5])
