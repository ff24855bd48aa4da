"""How far a source has been read, for each of its variables: last committed time, open gaps, and where it stands.

The bytes lie in the spool in the same transaction as the values. Their layout: the magic, the lengths of the parts,
then the station (JSON), the names (compressed, joined by newlines) and the columns (little endian, 8-byte rows).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from shopfloor.gateway.opcua.resume import Station
from shopfloor.plant import Batch, Kind

_MAGIC: Final = b"SFM1"
_HEAD: Final = struct.Struct("<4sIIIII")
_GAPS: Final = 20_000
_KNOWN: Final = 64
_UNKNOWN: Final = -1


class _Known(NamedTuple):
    """A table of names: the number of each one's variable, whether it is no leaf of one; `plain`: none of them is."""

    names: tuple[str, ...]
    variable: NDArray[np.int64]
    whole: NDArray[np.bool_]
    plain: bool


@dataclass(slots=True)
class Gap:
    """What is missing of one variable: its values after `after` and before `before` (UTC ns, both exclusive)."""

    tag: str
    after: int
    before: int


@dataclass(slots=True)
class Marks:
    """The marks of one OPC UA source.

    A variable that is an array or a structure is marked once, for all of its leaves. `counted` are the rows of each
    other variable that were committed since the station last moved, which it does with the last row that it hands over
    (`complete`): a source that goes on after a crash skips as many.
    While `late` is set, batches hold values from history, which close gaps and move no mark.
    """

    gaps: list[Gap] = field(default_factory=list)
    late: bool = False
    station: Station | None = None
    used: bool = False
    names: list[str] = field(default_factory=list)
    time: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    counted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _index: dict[str, int] = field(default_factory=dict)
    _known: dict[int, _Known] = field(default_factory=dict)
    _values: dict[Kind, NDArray[Any]] = field(default_factory=dict)
    _coming: tuple[int, Station] | None = None
    _packed: bytes = b""
    _placed: bytes = b""

    def follow(self, tags: Iterable[str]) -> None:
        """These are the variables from now on; a mark of one that is gone is kept for when it comes back."""
        new = [tag for tag in dict.fromkeys(tags) if tag not in self._index]
        self._index.update({tag: number for number, tag in enumerate(new, len(self.names))})
        self.names.extend(new)
        self.time = np.concatenate([self.time, np.zeros(len(new), np.int64)])
        self.counted = np.concatenate([self.counted, np.zeros(len(new), np.int64)])
        self._values.clear()
        self._known.clear()
        self._packed = zlib.compress("\n".join(self.names).encode(), 1)

    def stand(self, station: Station) -> None:
        """The source has handed over all that comes before this; it is stored with the next batch."""
        self.counted[:] = 0
        self.place(station)

    def complete(self, rows: int, station: Station) -> None:
        """After so many rows more the source stands at `station`, in the very transaction that commits the last."""
        self._coming = (rows, station)

    def place(self, station: Station | None) -> None:
        """The session changed; nothing more was handed over."""
        if station is None or station != self.station:
            self.station = station
            self._placed = station.to_bytes() if station else b""

    def advance(self, batch: Batch) -> bytes:
        """Note a batch that is about to be committed, and answer all marks."""
        self.used, size = True, len(batch)
        if self.late:
            self._close(batch)
        else:
            rows = self.rows(batch)
            if not self._look_up(batch.names).plain:
                known = rows != _UNKNOWN
                batch, rows = batch.take(known), rows[known]
            np.maximum.at(self.time, rows, batch.time)
            self.counted += np.bincount(self._of_whole(batch, rows), minlength=len(self.counted))
            self._remember(batch, rows)
        self._move(size)
        return self.to_bytes()

    def _move(self, size: int) -> None:
        if self._coming is None or self.late:
            return
        rows, station = self._coming
        self._coming = (rows - size, station)
        if rows <= size:
            self._coming = None
            self.stand(station)

    def rows(self, batch: Batch) -> NDArray[np.int64]:
        """For each row, the number of its variable (its place in `names`), or -1."""
        return self._look_up(batch.names).variable[batch.tag]

    def _look_up(self, names: tuple[str, ...]) -> _Known:
        """Known by the tuple itself: to hash a thousand names for every batch would cost more than all the rest."""
        found = self._known.get(id(names))
        if found is None:
            if len(self._known) > _KNOWN:
                self._known.clear()
            variable = np.array([self._variable(name) for name in names], np.int64)
            whole = np.array([name in self._index for name in names], bool)
            found = self._known[id(names)] = _Known(names, variable, whole, bool(whole.all()))
        return found

    def repeats(self, batch: Batch) -> NDArray[np.bool_]:
        """Which rows say once more what the row before them of the same tag said, with the same time.

        Some servers send the present value again to a client that comes back.
        """
        order = np.argsort(batch.tag, kind="stable")
        tag, time, value = batch.tag[order], batch.time[order], batch.value[order]
        same = np.zeros(len(batch), bool)
        same[1:] = (tag[1:] == tag[:-1]) & (time[1:] == time[:-1]) & (value[1:] == value[:-1])
        first = np.ones(len(batch), bool)
        first[1:] = tag[1:] != tag[:-1]
        rows = self.rows(batch)[order]
        whole = self._whole(batch)[order]
        held = self._values.get(batch.kind)
        if held is not None:
            same |= first & whole & (time == self.time[rows]) & (value == held[rows])
        repeated = np.zeros(len(batch), bool)
        repeated[order] = same
        return repeated

    def _whole(self, batch: Batch) -> NDArray[np.bool_]:
        """Which rows are no leaves."""
        return self._look_up(batch.names).whole[batch.tag]

    def _of_whole(self, batch: Batch, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the `rows` that are no leaves."""
        return rows if self._look_up(batch.names).plain else rows[self._whole(batch)]

    def skip(self, batch: Batch, counts: NDArray[np.int64]) -> Batch:
        """The batch without the first rows of each variable, as many as `counts` says; `counts` goes down by them."""
        rows = np.where(self._whole(batch), self.rows(batch), _UNKNOWN)
        keep = np.ones(len(batch), bool)
        for place, row in enumerate(rows.tolist()):
            if row != _UNKNOWN and counts[row] > 0:
                counts[row] -= 1
                keep[place] = False
        return batch if keep.all() else batch.take(keep)

    def _remember(self, batch: Batch, rows: NDArray[np.int64]) -> None:
        held = self._values.get(batch.kind)
        if held is None:
            held = self._values[batch.kind] = np.zeros(len(self.names), batch.value.dtype)
        held[rows] = batch.value

    def _variable(self, name: str) -> int:
        number = self._index.get(name)
        cut = len(name)
        while number is None and cut > 0:
            cut = max(name.rfind("[", 0, cut), name.rfind(".", 0, cut))
            number = self._index.get(name[: max(cut, 0)])
        return _UNKNOWN if number is None else number

    def open(self, gap: Gap) -> bool:
        """Note that values of a variable are missing; False when there are too many gaps to keep."""
        if len(self.gaps) >= _GAPS:
            return False
        self.gaps.append(gap)
        return True

    def _close(self, batch: Batch) -> None:
        newest = np.zeros(len(self.names), np.int64)
        rows = self.rows(batch)
        np.maximum.at(newest, rows[rows != _UNKNOWN], batch.time[rows != _UNKNOWN])
        for gap in self.gaps:
            reached = int(newest[self._index[gap.tag]])
            if gap.after < reached < gap.before:
                gap.after = reached

    def to_bytes(self) -> bytes:
        """All marks."""
        number = [self._index[gap.tag] for gap in self.gaps]
        gaps = np.array([number, [g.after for g in self.gaps], [g.before for g in self.gaps]], np.int64)
        places = np.flatnonzero(self.counted)
        counted = np.array([places, self.counted[places]], np.int64)
        sizes = len(self._placed), len(self._packed), len(self.names), len(places), len(self.gaps)
        head = _HEAD.pack(_MAGIC, *sizes)
        return b"".join([head, self._placed, self._packed, self.time.tobytes(), counted.tobytes(), gaps.tobytes()])

    def restore(self, data: bytes) -> None:
        """Take up what the last run committed. What is no such thing is as good as nothing."""
        try:
            self._read(data)
        except (struct.error, zlib.error, ValueError, IndexError):
            self.gaps, self.station = [], None

    def _read(self, data: bytes) -> None:
        magic, placed, packed, amount, counted, gaps = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            return
        parts = _cut(data[_HEAD.size :], [placed, packed, 8 * amount, 16 * counted, 24 * gaps])
        names = zlib.decompress(parts[1]).decode().split("\n") if amount else []
        times = np.frombuffer(parts[2], np.int64)
        places, counts = np.frombuffer(parts[3], np.int64).reshape(2, counted)
        number, after, before = np.frombuffer(parts[4], np.int64).reshape(3, gaps).tolist()
        if not len(names) == len(times) == amount:
            return
        self.follow(names)
        self.time[:] = times
        self.counted[places] = counts
        self.gaps = [Gap(names[n], a, b) for n, a, b in zip(number, after, before, strict=True)]
        self.place(Station.from_bytes(parts[0]))
        self.used = self.station is not None


def _cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    return list(_parts(data, sizes))


def _parts(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield data[start : start + size]
        start += size
