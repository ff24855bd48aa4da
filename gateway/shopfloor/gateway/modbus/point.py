"""One value in a device's registers, and the requests that read many of them: pure, no network, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.plant.quality import BAD, BAD_TYPE_MISMATCH, GOOD

Table = Literal["coil", "discrete", "input", "holding"]
BITS: Final = frozenset({"coil", "discrete"})
MOST_BITS: Final = 2000
_DTYPES: Final = {
    "int16": ">i2",
    "uint16": ">u2",
    "int32": ">i4",
    "uint32": ">u4",
    "int64": ">i8",
    "uint64": ">u8",
    "float32": ">f4",
    "float64": ">f8",
}


@dataclass(frozen=True, slots=True)
class Point:
    """A tag and its place in the device: unit, table, address from 0, and what its bits mean."""

    tag: str
    unit: int
    table: Table
    address: int
    type: str
    bit: int = 0
    length: int = 0
    little_words: bool = False
    little_bytes: bool = False
    scale: float = 1.0
    offset: float = 0.0

    @property
    def dtype(self) -> np.dtype[Any]:
        """The number as it stands in big-endian registers (a bit: its register)."""
        return np.dtype(_DTYPES.get(self.type, ">u2"))

    @property
    def size(self) -> int:
        """Registers (or bits of a bit table) that it takes."""
        return (self.length + 1) // 2 if self.type == "string" else self.dtype.itemsize // 2

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.address + self.size

    @property
    def kind(self) -> Kind:
        """64-bit integers without scaling stay exact; smaller ones are exact as float64."""
        if self.type == "string":
            return Kind.TEXT
        exact = self.type in {"int64", "uint64"} and (self.scale, self.offset) == (1.0, 0.0)
        return Kind.INT if exact else Kind.FLOAT

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.table} {self.address} of unit {self.unit}"


@dataclass(frozen=True, slots=True)
class _Cells:
    """Values of one read that one numpy expression decodes: `rows` of the group, `words` (rows, size) of the answer."""

    points: tuple[Point, ...]
    rows: NDArray[np.intp]
    words: NDArray[np.intp]
    bits: NDArray[np.intp]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    def decode(self, answer: NDArray[np.uint16]) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        """Value and quality of every row. NaN is how devices say that there is no value: it comes as bad."""
        first = self.points[0]
        words = answer[self.words]
        if first.type == "bool":
            return (words[:, 0] >> self.bits & 1).astype(np.float64), np.zeros(len(words), np.uint32)
        words = np.ascontiguousarray(words, "<u2" if first.little_bytes else ">u2")
        if first.type == "string":
            texts = [_text(row.tobytes()[: point.length]) for row, point in zip(words, self.points, strict=True)]
            return np.array(texts, object), np.zeros(len(texts), np.uint32)
        return self._numbers(words.view(np.uint16).view(first.dtype)[:, 0])

    def _numbers(self, raw: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        if self.points[0].kind is Kind.INT:
            whole = raw.astype(np.int64)
            fits = np.array(raw.dtype.kind == "i") | (whole >= 0)
            return np.where(fits, whole, 0), np.where(fits, GOOD, BAD_TYPE_MISMATCH).astype(np.uint32)
        with np.errstate(invalid="ignore"):
            value = raw.astype(np.float64) * self.scale + self.offset
        return value, np.where(np.isnan(value), BAD, GOOD).astype(np.uint32)


def _text(data: bytes) -> str:
    data = data.split(b"\0", 1)[0].rstrip()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Read:
    """One request, and the rows of its group that it answers."""

    unit: int
    table: Table
    address: int
    count: int
    rows: tuple[tuple[int, Point], ...]
    cells: tuple[_Cells, ...]

    @classmethod
    def of(cls, rows: Sequence[tuple[int, Point]]) -> Read:
        """The request that covers these points of one unit and table, sorted by address."""
        start = rows[0][1].address
        end = max(point.end for _, point in rows)
        return cls(rows[0][1].unit, rows[0][1].table, start, end - start, tuple(rows), tuple(_cells(rows, start)))

    def halves(self) -> tuple[Read, Read]:
        """The same rows in two requests."""
        middle = len(self.rows) // 2
        return Read.of(self.rows[:middle]), Read.of(self.rows[middle:])


def _cells(rows: Iterable[tuple[int, Point]], start: int) -> Iterator[_Cells]:
    def alike(row: tuple[int, Point]) -> tuple[Any, ...]:
        point = row[1]
        return point.type, point.size, point.kind, point.little_words, point.little_bytes

    for _, group in groupby(sorted(rows, key=alike), alike):
        members = list(group)
        points = tuple(point for _, point in members)
        words = [
            [point.address - start + (point.size - 1 - n if point.little_words else n) for n in range(point.size)]
            for point in points
        ]
        yield _Cells(
            points,
            np.array([row for row, _ in members]),
            np.array(words),
            np.array([point.bit for point in points]),
            np.array([point.scale for point in points]),
            np.array([point.offset for point in points]),
        )


def merge(points: Sequence[Point], gap: int, largest: int) -> list[Read]:
    """The fewest requests that read all points: up to `gap` unneeded registers, `largest` in one, or 2,000 bits.

    >>> points = [Point("a", 1, "holding", 0, "float32"), Point("b", 1, "holding", 4, "int16")]
    >>> [(read.address, read.count) for read in merge(points, 2, 125)], len(merge(points, 1, 125))
    ([(0, 5)], 2)
    """
    reads: list[list[tuple[int, Point]]] = []
    ordered = sorted(enumerate(points), key=lambda row: (row[1].unit, row[1].table, row[1].address, row[1].end))
    end = 0
    for row in ordered:
        point = row[1]
        factor, most = (16, MOST_BITS) if point.table in BITS else (1, largest)
        first = reads[-1][0][1] if reads else None
        fits = first and (first.unit, first.table) == (point.unit, point.table) and point.address - end <= gap * factor
        if fits and first and max(end, point.end) - first.address <= most:
            reads[-1].append(row)
            end = max(end, point.end)
        else:
            reads.append([row])
            end = point.end
    return [Read.of(rows) for rows in reads]
