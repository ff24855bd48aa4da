"""The process that `shopfloor bench store-kill` kills: it stores without end, and says what was acknowledged."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
from shopfloor.plant import Batch, Kind
from shopfloor.services.historian import Historian, Options
from shopfloor.services.historian.segments.segment import Segment
from shopfloor.services.historian.segments.segment_writer import SegmentWriter

ROWS: Final = 500
STEP: Final = 2_000_000
ORIGIN: Final = 20_000 * 86_400_000_000_000 - 600_000_000_000
"""Ten minutes before a midnight: the rounds cross it."""
OPTIONS: Final = Options(flush_rows=20_000, flush_age_s=0.5, group_rows=4_000, compact_segments=2, reserve_bytes=0)
GATEWAYS: Final = {"edge-1": Kind.FLOAT, "edge-2": Kind.INT, "edge-3": Kind.TEXT}


def tags(gateway: str) -> tuple[str, ...]:
    """The tags of one gateway."""
    return tuple(f"bench/store/line/cell/{gateway}/t{number}" for number in range(5))


def batch(gateway: str, sequence: int) -> Batch:
    """Values that tell which batch they came from, at times of their own."""
    rows = np.arange(ROWS, dtype=np.int64)
    at = ORIGIN + (sequence * ROWS + rows) * STEP
    value: Any = np.full(ROWS, sequence, np.float64 if gateway == "edge-1" else np.int64)
    if GATEWAYS[gateway] is Kind.TEXT:
        value = np.full(ROWS, f"batch {sequence}", object)
    return Batch(tags(gateway), (rows % 5).astype(np.int32), at, value, np.zeros(ROWS, np.uint32))


def send(store: Historian, gateway: str, first: int, pause: threading.Event) -> None:
    """Store batches of one gateway until the process is killed."""
    sequence = first
    while True:
        store.ingest(gateway, sequence, "s", sequence * ROWS, batch(gateway, sequence))
        say(f"{gateway} {sequence}")
        sequence += 1
        pause.wait(0.02)


def say(text: str) -> None:
    """One line in one write, so that a kill cuts none in two."""
    os.write(1, f"{text}\n".encode())


class _Telling(SegmentWriter):
    """Says that a file is about to be finished, and by which work."""

    def finish(self, precedence: int, level: int, span: tuple[int, int] | None = None) -> Segment:
        """Say it, then do it."""
        say("compaction 0" if level else "flush 0")
        return _FINISH(self, precedence, level, span)


_FINISH: Final = SegmentWriter.finish


def main(plan: dict[str, Any]) -> None:
    """A thread for each gateway, from the sequences in `firsts` on."""
    setattr(SegmentWriter, "finish", _Telling.finish)  # noqa: B010 (only this process tells)
    store = Historian.open(Path(plan["folder"]), options=OPTIONS)
    for gateway, first in plan["firsts"].items():
        threading.Thread(target=send, args=(store, gateway, first, threading.Event())).start()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
