"""The big set: ours with hundreds of millions of rows: what it takes, how it opens, what it answers."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import ShopfloorError
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.store import proc
from shopfloor.services.bench.store.asked import question_row
from shopfloor.services.bench.store.contestants import Contestant, Row
from shopfloor.services.bench.store.questions import Data
from shopfloor.services.bench.store.stores import Store
from shopfloor.services.bench.store.workload import day, month, plant

_UNITS: Final = {"k": 1e3, "M": 1e6, "G": 1e9}
_FULL: Final = Data()
_EVERY_S: Final = 10.0


def rows_of(text: str) -> int:
    """A number of rows.

    >>> rows_of("300M"), rows_of("2.5k")
    (300000000, 2500)
    """
    try:
        return round(float(text.rstrip("kMG")) * _UNITS.get(text[-1:], 1.0))
    except ValueError as problem:
        raise ShopfloorError(f"--rows {text!r} is no number of rows: write it as in 300M.") from problem


def sized(rows: int) -> Data:
    """20 tags over 30 days, 100 tags over 24 hours, and as much of the plant as makes up for `rows`."""
    history = 86_400 * (_FULL.days * month().rate + day().rate)
    seconds = max((rows - history) // plant().rate, _FULL.fast_s)
    return replace(_FULL, plant_s=seconds, fast_s=seconds)


def large(contestant: Contestant, folder: Path, data: Data, times: int) -> dict[str, Any]:
    """Fill it, close it, open it again, ask."""
    machine, place = facts(), folder / "large"
    with contestant.start(place) as store:
        row = _fill(store, data)
    with contestant.start(place) as store:
        row |= {"version": store.version, "open_s": store.opened_s, "open_mb": round(proc.rss(store.pid) / 1e6)}
        questions = [question_row([store], question, times) for question in data.questions()]
        row["most_mb"] = round(proc.peak_rss(store.pid) / 1e6)
    return {
        "name": "large", "title": f"{row['rows_held']:,} rows", "machine": machine, "questions": questions,
        "bar": "opens in 1 s; 2.1 bytes per row", "summary": [{**row, "load": load()}],
    }  # fmt: skip


def _fill(store: Store, data: Data) -> Row:
    begun, said, rows = proc.cpu_s(store.pid), time.monotonic(), 0
    for batch in data.batches():
        store.append(batch)
        rows += len(batch)
        if time.monotonic() - said > _EVERY_S:
            said = time.monotonic()
            sys.stderr.write(f"large {rows:>13,} rows  {proc.rss(store.pid) / 1e6:6.0f} MB  load {load()}\n")
    store.settle(force=True)
    cpu, disk = proc.cpu_s(store.pid) - begun, store.disk()
    return {
        "store": store.name, "rows_held": rows, "rows_per_cpu_s": round(rows / cpu),
        "bytes_per_row": round(disk.data / rows, 3), "beside_mb": round(disk.beside / 1e6, 1),
        "filling_mb": round(proc.peak_rss(store.pid) / 1e6),
    }  # fmt: skip
