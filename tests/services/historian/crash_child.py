"""Ingests without end and tells each acknowledged sequence; its parent kills it."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.historian import Historian, Options, keeper
from shopfloor.services.historian.segments.compaction import compact

ROWS = 500
ORIGIN = 20_000 * 86_400_000_000_000 - 3_600_000_000_000
TAGS = tuple(f"delta/area/line/cell/asset/t{i}" for i in range(5))


def batch(gateway: str, sequence: int) -> Batch:
    """Rows that tell which batch they came from; their times are their own."""
    rows = np.arange(ROWS, dtype=np.int64)
    at = ORIGIN + (sequence * ROWS + rows) * 2_000_000 + (gateway == "edge-2")
    value = np.full(ROWS, sequence, np.float64)
    return Batch(TAGS, (rows % 5).astype(np.int32), at, value, np.zeros(ROWS, np.uint32))


def send(store: Historian, gateway: str, first: int, pause: float) -> None:
    """Send batches of one gateway for ever."""
    sequence = first
    while True:
        store.ingest(gateway, sequence, "s", sequence * ROWS, batch(gateway, sequence))
        os.write(1, f"{gateway} {sequence}\n".encode())
        sequence += 1
        time.sleep(pause)


def told_compaction(*arguments: Any, **options: Any) -> Any:
    """Say that a compaction begins."""
    os.write(1, b"compaction 0\n")
    return compact(*arguments, **options)


def main(folder: str, compact_segments: str, pause: str, *firsts: str) -> None:
    """One thread per gateway."""
    setattr(keeper, "compact", told_compaction)  # noqa: B010
    options = Options(
        flush_rows=4_000, flush_age_s=0.2, group_rows=500, compact_segments=int(compact_segments), reserve_bytes=0
    )
    store = Historian.open(folder, options=options)
    for number, first in enumerate(firsts, 1):
        threading.Thread(target=send, args=(store, f"edge-{number}", int(first), float(pause))).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
