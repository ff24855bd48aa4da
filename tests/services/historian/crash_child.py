"""Ingests without end and tells each acknowledged sequence; its parent kills it."""

from __future__ import annotations

import os
import sys
import threading

import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.historian import Historian, Options

ROWS = 500
ORIGIN = 20_000 * 86_400_000_000_000 - 3_600_000_000_000
TAGS = tuple(f"delta/area/line/cell/asset/t{i}" for i in range(5))


def batch(gateway: str, sequence: int) -> Batch:
    """Rows that tell which batch they came from; their times are their own."""
    rows = np.arange(ROWS, dtype=np.int64)
    time = ORIGIN + (sequence * ROWS + rows) * 2_000_000 + (gateway == "edge-2")
    value = np.full(ROWS, sequence, np.float64)
    return Batch(TAGS, (rows % 5).astype(np.int32), time, value, np.zeros(ROWS, np.uint32))


def send(store: Historian, gateway: str, first: int) -> None:
    """Send batches of one gateway for ever."""
    sequence = first
    while True:
        store.ingest(gateway, sequence, "s", sequence * ROWS, batch(gateway, sequence))
        os.write(1, f"{gateway} {sequence}\n".encode())
        sequence += 1


def main(folder: str, *firsts: str) -> None:
    """One thread per gateway."""
    options = Options(flush_rows=4_000, flush_age_s=0.2, group_rows=500, compact_segments=4, reserve_bytes=0)
    store = Historian.open(folder, options=options)
    for number, first in enumerate(firsts, 1):
        threading.Thread(target=send, args=(store, f"edge-{number}", int(first))).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
