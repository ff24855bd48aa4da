"""Topics of the live socket: a ring of encoded frames for values, the last frame for states."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from shopfloor.services.rows import Rows

BEHIND_BYTES: Final = 256 * 1024
_FRAME_ROWS: Final = 8_000
GAP: Final = msgspec.msgpack.encode({"k": "gap"})


class ValueTopic:
    """Everything that pages with the same tags see. An offset counts the bytes of all frames ever appended."""

    def __init__(self, tags: tuple[str, ...], indices: NDArray[np.int32]) -> None:
        self.tags = tags
        self.clients = 0
        self.head = 0
        self._seq = 0
        self._ring: deque[tuple[int, bytes]] = deque()
        self._local = np.full(int(indices.max(initial=-1)) + 1, -1, np.int32)
        self._local[indices] = np.arange(len(indices), dtype=np.int32)

    def append(self, rows: Rows, now_ms: float) -> bool:
        """Encode the rows of this topic's tags once for all its clients; whether there were any."""
        mine = rows.local(self._local)
        if mine is None:
            return False
        for frame in self.encode(mine, now_ms):
            self._seq += 1
            self.head += len(frame)
            self._ring.append((self.head, frame))
        while self._ring and self._ring[0][0] <= self.head - BEHIND_BYTES:
            self._ring.popleft()
        return True

    def after(self, offset: int) -> tuple[bytes, int]:
        """The frame that follows an offset, and the offset behind it; a `gap` for a client that fell behind."""
        if self.head - offset > BEHIND_BYTES:
            return GAP, self.head
        end, frame = next((end, frame) for end, frame in self._ring if end > offset)
        return frame, end

    def encode(self, rows: Rows, now_ms: float) -> Iterator[bytes]:
        """Frames of at most 8,000 numbers; `rows` carry this topic's own indices."""
        for start in range(0, max(len(rows.index), 1), _FRAME_ROWS):
            part = slice(start, start + _FRAME_ROWS)
            yield msgspec.msgpack.encode(
                {
                    "k": "values",
                    "seq": self._seq,
                    "time": now_ms,
                    "i": rows.index[part].astype("<i4").tobytes(),
                    "t": rows.time[part].astype("<f8").tobytes(),
                    "v": rows.value[part].astype("<f8").tobytes(),
                    "q": rows.quality[part].astype("<u4").tobytes(),
                    "x": rows.text if start == 0 else [],
                }
            )


@dataclass
class StateTopic:
    """Alarms, predictions or health: the latest wins."""

    name: str
    version: int = 0
    frame: bytes = b""

    def show(self, value: Any) -> None:
        """Encode; the version grows when it is something new."""
        key = "value" if self.name == "health" else "items"
        frame = msgspec.msgpack.encode({"k": self.name, key: value})
        if frame != self.frame:
            self.frame, self.version = frame, self.version + 1
