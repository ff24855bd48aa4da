"""A store that is filled and compacted without end in a process of its own; its parent stops or kills it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from shopfloor.plant import Batch, Kind
from shopfloor.services.historian import Historian, Options

ROWS = 400
STEP = 20_000_000
NOON = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
TAGS = tuple(f"delta/area/line/cell/asset/t{i}" for i in range(5))
BUSY = Options(flush_rows=3_000, flush_age_s=0.1, group_rows=500, compact_segments=2, reserve_bytes=0)


def batch(sequence: int, kind: Kind = Kind.FLOAT) -> Batch:
    """Rows that tell which batch they came from, over several minutes."""
    rows = np.arange(ROWS, dtype=np.int64)
    at = NOON + (sequence * ROWS + rows) * STEP
    value = np.full(ROWS, sequence, np.float64)
    if kind is Kind.INT:
        value = value.astype(np.int64) + (1 << 60)
    if kind is Kind.TEXT:
        value = np.array([f"state {sequence % 3}\n中"] * ROWS, object)
    names = tuple(f"{tag}.{kind.value}" for tag in TAGS)
    return Batch(names, (rows % 5).astype(np.int32), at, value, np.zeros(ROWS, np.uint32))


def fill(store: Historian, first: int, count: int) -> None:
    """Ingest some batches of every kind."""
    for sequence in range(first, first + count):
        store.ingest("edge", sequence, "s", sequence * ROWS, batch(sequence, list(Kind)[sequence % 3]))


@contextmanager
def filling(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run this file on a store, and wait for the first compactions."""
    with subprocess.Popen([sys.executable, __file__, str(folder)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "compacted\n"
        try:
            yield child
        finally:
            child.kill()


def main(folder: str) -> None:
    with Historian.open(folder, options=BUSY) as store:
        first, told = 1, False
        while True:
            fill(store, first, 1)
            first += 1
            if not told and any(segment.level for segment in store._shelf.segments()):
                sys.stdout.write("compacted\n")
                sys.stdout.flush()
                told = True
            time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1])
