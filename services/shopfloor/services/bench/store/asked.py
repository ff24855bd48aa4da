"""Disk and questions: all stores hold the same rows, merged as far as each can, and are asked in turn."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shopfloor.services.bench.machine import facts, load
from shopfloor.services.bench.store.contestants import OURS, Contestant, Row, together
from shopfloor.services.bench.store.ingest import append
from shopfloor.services.bench.store.questions import Data, Question
from shopfloor.services.bench.store.signals import Shape
from shopfloor.services.bench.store.stores import Asked, Store
from shopfloor.services.bench.store.workload import day, history, plant

Part = dict[str, Any]


def asked(contestants: Sequence[Contestant], folder: Path, data: Data, times: int) -> list[Part]:
    """The parts `disk` (all rows together) and `queries`."""
    machine = facts()
    with together(contestants, folder) as (stores, absent):
        disk = [_filled(store, data) for store in stores]
        queries = [question_row(stores, question, times) for question in data.questions()]
        versions = {store.name: store.version for store in stores}
    rows = disk[0]["rows_held"]
    return [
        {
            "name": "disk", "title": f"Bytes per row: {rows:,} rows, merged", "machine": machine,
            "bar": "2.1 bytes per row; 0.7 x VictoriaMetrics, 0.45 x InfluxDB, 0.3 x DuckDB",
            "summary": [*_with_ratios(disk), *absent],
        },
        {
            "name": "queries", "title": f"Questions to {rows:,} rows: CPU ms of the store (wall ms)",
            "machine": machine, "versions": versions, "summary": queries,
            "bar": "latest 1,000 x any peer; a month in 960 buckets 50 x VictoriaMetrics, 100 x InfluxDB, 5 x DuckDB;"
            " a day by asset 30 x VictoriaMetrics and DuckDB, from rows no worse than 1.5 x DuckDB",
        },
    ]  # fmt: skip


def by_shape(contestants: Sequence[Contestant], folder: Path, hours: int, fast_s: int) -> dict[str, dict[str, float]]:
    """Bytes per row of each store for each shape of values, one shape in a store at a time."""
    answer: dict[str, dict[str, float]] = {one.name: {} for one in contestants}
    for shape in Shape:
        with together(contestants, folder / shape) as (stores, _):
            for store in stores:
                rows, _ = append(store, _of(shape, hours, fast_s))
                store.settle(force=True)
                answer[store.name][shape] = round(store.disk().data / rows, 2)
                _say(f"disk {shape:10} {store.name:16} {answer[store.name][shape]} bytes per row")
    return answer


def _of(shape: Shape, hours: int, fast_s: int) -> Any:
    if shape is Shape.VIBRATION:
        return plant().batches(fast_s, only=[shape])
    return history(day(hours), only=[shape])


def _filled(store: Store, data: Data) -> Row:
    rows, _ = append(store, data.batches())
    store.settle(force=True)
    disk = store.disk()
    _say(f"disk {store.name:16} {disk.data / rows:.2f} bytes per row")
    return {
        "store": store.name, "version": store.version, "rows_held": rows, "bytes_per_row": round(disk.data / rows, 3),
        "beside_mb": round(disk.beside / 1e6, 1), "load": load(),
    }  # fmt: skip


def question_row(stores: Sequence[Store], question: Question, times: int) -> Row:
    """Asked `times` times of each store in turn, after once for nothing; the medians."""
    first = {store.name: store.ask(question) for store in stores}
    costs: dict[str, list[Asked]] = {store.name: [] for store in stores}
    for _ in range(times):
        for store in stores:
            costs[store.name].append(store.ask(question))
    right = first[OURS].answer if OURS in first else next(iter(first.values())).answer
    row: Row = {"question": question.name, "title": question.title, "n": right.n, "total": right.total}
    row["differs"] = [name for name, one in first.items() if not one.answer.agrees(right)]
    row["cpu_ms"] = {name: round(statistics.median(one.cpu_ms for one in all_), 3) for name, all_ in costs.items()}
    row["wall_ms"] = {name: round(statistics.median(one.wall_ms for one in all_), 2) for name, all_ in costs.items()}
    _say(f"queries {question.name:4} {row['cpu_ms']} {'differs: ' if row['differs'] else ''}{row['differs'] or ''}")
    return row


def _with_ratios(rows: Sequence[Row]) -> list[Row]:
    """Bytes of ours as a part of each peer's."""
    ours = next((row["bytes_per_row"] for row in rows if row["store"] == OURS), None)
    return [{**row, "ratio": round(ours / row["bytes_per_row"], 2) if ours else None} for row in rows]


def _say(text: str) -> None:
    sys.stderr.write(f"{text}  load {load()}\n")
