"""Durable ingest: what one CPU-second of a store takes in, flush, rollups and merges included."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.bench.cache import Absent
from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.store import proc
from shopfloor.services.bench.store.contestants import OURS, Contestant, Row
from shopfloor.services.bench.store.stores import Store
from shopfloor.services.bench.store.workload import plant
from shopfloor.services.bench.worker import WorkerFailed

BARS: Final = {OURS: 1_000_000, "duckdb": 1.3, "victoriametrics": 2.0, "influxdb": 3.0}
"""Ours: rows per CPU-second; peers: how many times as many ours takes."""

_MEDIANS: Final = ("rows_per_cpu_s", "ratio", "taken_per_cpu_s", "rows_per_s", "p50_ms", "p99_ms", "max_ms", "peak_mb")


def ingest(contestants: Sequence[Contestant], folder: Path, rounds: int, seconds: int, settle: bool) -> dict[str, Any]:
    """Every store takes `seconds` of the plant in every round, alone, on an empty folder; `settle`: and merges it."""
    machine, rows = facts(), []
    for number in range(1, rounds + 1):
        turn = [*contestants[number % len(contestants) :], *contestants[: number % len(contestants)]]
        rows += _with_ratios([_safely(one, folder, number, seconds, settle) for one in turn])
    return {
        "name": "ingest", "title": f"Durable ingest: {seconds} batches of {plant().rate:,} rows", "machine": machine,
        "bar": "1 M rows per CPU-second; 3 x InfluxDB, 2 x VictoriaMetrics, 1.3 x DuckDB",
        "rounds": rounds, "rows": rows, "summary": [_summary(one.name, rows) for one in contestants],
    }  # fmt: skip


def _safely(one: Contestant, folder: Path, number: int, seconds: int, settle: bool) -> Row:
    place = folder / f"{one.name}-{number}"
    try:
        with one.start(place) as store:
            row = {"store": one.name, "version": store.version, "round": number, **_measured(store, seconds, settle)}
    except (Absent, WorkerFailed) as problem:
        row = {"store": one.name, "absent" if isinstance(problem, Absent) else "failed": str(problem)}
    finally:
        shutil.rmtree(place, ignore_errors=True)
    sys.stderr.write(
        f"ingest round {number}  {one.name:16} {row.get('rows_per_cpu_s', '-'):>12} rows/CPU-s  load {load()}\n"
    )
    return row


def _measured(store: Store, seconds: int, settle: bool) -> Row:
    before = proc.cpu_s(store.pid)
    rows, took = append(store, plant().batches(seconds))
    taken = proc.cpu_s(store.pid)
    if settle:
        store.settle()
    cpu = proc.cpu_s(store.pid) - before
    p50, p99, most = np.percentile(took, [50, 99, 100])
    return {
        "rows_taken": rows, "rows_per_cpu_s": round(rows / cpu), "taken_per_cpu_s": round(rows / (taken - before)),
        "rows_per_s": round(rows / sum(took) * 1e3), "p50_ms": round(p50, 1), "p99_ms": round(p99, 1),
        "max_ms": round(most, 1), "peak_mb": round(proc.peak_rss(store.pid) / 1e6), "load": load(),
    }  # fmt: skip


def append(store: Store, batches: Iterable[Batch]) -> tuple[int, list[float]]:
    """Hand over every batch; how many rows, and how long each batch took, in ms."""
    rows, took = 0, []
    for batch in batches:
        took.append(store.append(batch))
        rows += len(batch)
    return rows, took


def _with_ratios(rows: Sequence[Row]) -> list[Row]:
    ours = next((row.get("rows_per_cpu_s") for row in rows if row["store"] == OURS), None)
    for row in rows:
        rate = row.get("rows_per_cpu_s")
        row["ratio"] = round(ours / rate, 2) if ours and rate else None
    return list(rows)


def _summary(name: str, rows: Sequence[Row]) -> Row:
    mine = [row for row in rows if row["store"] == name]
    done = [row for row in mine if "rows_per_cpu_s" in row]
    if not done:
        return mine[-1]
    medians = {key: _median([row[key] for row in done]) for key in _MEDIANS}
    return {"store": name, "version": done[0]["version"], "bar": BARS[name], **medians}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if known else None
