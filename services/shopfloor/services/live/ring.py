"""The ring of ticks: what arrived lately, encoded once for everybody who reads it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec
import numpy as np
from shopfloor.services.live.rows import Rows, TextRow
from shopfloor.services.live.split import Split, View
from shopfloor.services.live.words import frame

BEHIND_BYTES: Final = 256 * 1024
_MOST_BYTES: Final = 4 * BEHIND_BYTES
"""A page that kept up gets a larger tick whole, up to this."""
FRAME_BYTES: Final = 256 * 1024
"""No frame is larger, unless a single text is."""
_RING_TICKS: Final = 600
_RING_ROWS: Final = 300_000
_PART_ROWS: Final = 8_000
_PART_TEXT_BYTES: Final = 128 * 1024
_ENVELOPE_BYTES: Final = 1_024
Sent = tuple[int, bytes]
"""A frame, and the last tick that somebody has wholly read with it."""


def encode(rows: Rows) -> Iterator[bytes]:
    """Rows as parts of a frame: maps of columns, each small enough for a frame."""
    for start in range(0, len(rows.index), _PART_ROWS):
        part = slice(start, start + _PART_ROWS)
        yield msgspec.msgpack.encode(
            {
                "i": rows.index[part].astype("<i4", copy=False).tobytes(),
                "t": rows.time[part].astype("<f8", copy=False).tobytes(),
                "v": rows.value[part].astype("<f8", copy=False).tobytes(),
                "q": rows.quality[part].astype("<u4", copy=False).tobytes(),
            }
        )
    for texts in _portions(rows.text):
        yield msgspec.msgpack.encode({"x": texts})


def _portions(texts: list[TextRow]) -> Iterator[list[TextRow]]:
    size, portion = 0, list[TextRow]()
    for row in texts:
        size += 4 * len(row[2]) + 32
        if portion and size > _PART_TEXT_BYTES:
            yield portion
            size, portion = 4 * len(row[2]) + 32, []
        portion.append(row)
    if portion:
        yield portion


def frames(parts: list[tuple[int, bytes]], time_ms: float) -> list[Sent]:
    """Join (tick, part) pairs to frames of at most 256 kB; one that ends within a tick counts as the tick before."""
    sent: list[Sent] = []
    held, size = list[msgspec.Raw](), _ENVELOPE_BYTES
    for place, (seq, part) in enumerate(parts):
        if held and size + len(part) > FRAME_BYTES:
            before = parts[place - 1][0]
            done = before if before < seq else seq - 1
            sent.append((done, frame("values", seq=done, time=time_ms, parts=held)))
            held, size = [], _ENVELOPE_BYTES
        held.append(msgspec.Raw(part))
        size += len(part)
    if held:
        sent.append((parts[-1][0], frame("values", seq=parts[-1][0], time=time_ms, parts=held)))
    return sent


class Tick:
    """What arrived within one tick."""

    def __init__(self, seq: int, time_ms: float, rows: Rows) -> None:
        self.seq, self.time_ms, self.rows = seq, time_ms, rows
        self._split: Split | None = None
        self._groups: dict[int, Rows] = {}
        self._done: dict[int, tuple[bytes, ...]] = {}

    def part(self, split: Split, number: int) -> tuple[bytes, ...]:
        """The encoded rows of one part of a split; asked again, the same bytes."""
        if self._split is not split:
            self._split, self._groups, self._done = split, _grouped(self.rows, split), {}
        done = self._done.get(number)
        if done is None:
            mine = self._groups.get(number)
            done = self._done[number] = tuple(encode(mine)) if mine else ()
        return done


def _grouped(rows: Rows, split: Split) -> dict[int, Rows]:
    """The rows of each part, in order of time."""
    owner = split.of(rows.index)
    order = np.argsort(owner, kind="stable")
    found, first = np.unique(owner[order], return_index=True)
    pieces = np.split(order, first)[1:]
    texts: defaultdict[int, list[TextRow]] = defaultdict(list)
    for text, part in zip(rows.text, split.of(np.array([row[0] for row in rows.text], np.int32)).tolist(), strict=True):
        texts[part].append(text)
    groups = {
        part: Rows(rows.index[at], rows.time[at], rows.value[at], rows.quality[at], texts.pop(part, []))
        for part, at in zip(found.tolist(), pieces, strict=True)
    }
    return groups | {part: rows.only_text(text) for part, text in texts.items()}


class Ring:
    """The last minute of ticks, fewer when they are large. A reader's cursor is the last tick that it has read."""

    def __init__(self) -> None:
        self.head = 0
        self._ticks: deque[Tick] = deque()
        self._rows = 0
        self._said: dict[tuple[View, int], list[Sent] | None] = {}

    def append(self, rows: Rows, time_ms: float) -> None:
        """Take the rows of a tick."""
        self.head += 1
        self._said.clear()
        self._ticks.append(Tick(self.head, time_ms, rows))
        self._rows += rows.count
        while len(self._ticks) > _RING_TICKS or (self._rows > _RING_ROWS and len(self._ticks) > 1):
            self._rows -= self._ticks.popleft().rows.count

    def holds(self, seq: int) -> bool:
        """Whether everything after a tick is still here."""
        return self.head - len(self._ticks) <= seq <= self.head

    def since(self, seq: int) -> Iterator[Tick]:
        """The ticks after one that the ring `holds`."""
        return islice(self._ticks, len(self._ticks) - (self.head - seq), None)

    def after(self, seq: int, view: View, split: Split) -> list[Sent] | None:
        """The frames that follow a cursor; None when too much does: the reader asks the history."""
        key = (view, seq)
        if key not in self._said:
            self._said[key] = self._after(seq, view, split)
        return self._said[key]

    def _after(self, seq: int, view: View, split: Split) -> list[Sent] | None:
        if not self.holds(seq):
            return None
        parts: list[tuple[int, bytes]] = []
        size, time_ms = 0, 0.0
        for tick in self.since(seq):
            if size > BEHIND_BYTES:
                return None
            time_ms = tick.time_ms
            mine = [(tick.seq, part) for number in view.parts_in(split) for part in tick.part(split, number)]
            parts += mine
            size += sum(len(part) for _, part in mine)
        return frames(parts, time_ms) if size <= _MOST_BYTES else None
