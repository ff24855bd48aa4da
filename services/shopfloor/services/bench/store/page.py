"""The page docs/benchmarks/store.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from shopfloor.services.bench.chart import Panel, draw
from shopfloor.services.bench.report import Page, number, rows
from shopfloor.services.bench.store.contestants import ALL, OURS, Row, label
from shopfloor.services.bench.store.signals import Shape

Part = dict[str, Any]

_INTRO: Final = """\
# Store

The historian beside DuckDB, VictoriaMetrics and InfluxDB, each in a process of its own, on the same values: 10,000 tags
at 1 Hz (60 % slow with a deadband of 0.2, 20 % noisy float32, 10 % counters, 10 % booleans; every second tag stamped up
to 2 ms off the grid; 0.1 % bad) and 200 tags at 100 Hz, 30,000 rows a second in batches of a second. A row is tag, time
in ns, value and quality.

**The servers are old**: they are what Debian ships, InfluxDB 1.6.7 (a release line of 2018) and VictoriaMetrics 1.79.5
(2022). What is said here is said of them, not of what their makers sell today. DuckDB is the current one.

CPU is user and system time of the store's process; making values, rendering text and sending is the bench's own process
and not counted. *All work* means: until flush, rollups, merges and log are done and the process is idle. Ours and
DuckDB take Arrow, as our server does, and are not asked over HTTP; the servers take line protocol over HTTP, whose
reading is part of their work. Durable when acknowledged are ours, DuckDB and InfluxDB; VictoriaMetrics acknowledges
before the disk, and keeps milliseconds. It and InfluxDB store value and quality as two series or fields; DuckDB has no
primary key (with one it takes a fifth), so that a repeated batch is stored twice. Every question is asked of each store
in turn, after once for nothing; VictoriaMetrics' cache of answers is passed by (`nocache=1`). Stores whose answers
differ from ours are named.

Run it yourself: `shopfloor bench store`, or in parts: `shopfloor bench store --only ingest,disk`.
"""
_INGEST: Final = (
    "store", "rows per CPU-s, all work", "ours / it", "bar", "rows per CPU-s until taken", "rows/s taken",
    "batch p50 / p99 / most ms", "peak MB",
)  # fmt: skip
_READS: Final = (
    "store", "rows/s", "batch p50 / p99 / most ms", "over 500 ms", "reads", "1 min of a 100 Hz tag p50 / p99 / most ms",
    "latest p50 / p99 / most ms", "load",
)  # fmt: skip
_MEMORY: Final = ("store", "most MB", "most in the first half", "in the second half", "reads", "batch p99 ms", "load")
_LARGE: Final = (
    "store", "rows per CPU-s, all work", "bytes per row", "MB beside", "MB while filling", "opens in s", "MB then",
    "most MB", "load",
)  # fmt: skip


def table(part: Part) -> str:
    """The table of a part; a store that is not installed or failed has a row that says so."""
    return _TABLES[part["name"]](part)


def _ingest(part: Part) -> str:
    return rows(_INGEST, [_cells(row, _ingest_cells, len(_INGEST)) for row in part["summary"]])


def _ingest_cells(row: Row) -> list[str]:
    ours = row["store"] == OURS
    bar = f"{row['bar'] / 1e6:g} M" if ours else f"{row['bar']:g} x"
    return [
        number(row["rows_per_cpu_s"]), "1" if ours else number(row["ratio"], 1), bar, number(row["taken_per_cpu_s"]),
        number(row["rows_per_s"]), " / ".join(number(row[key], 1) for key in ("p50_ms", "p99_ms", "max_ms")),
        number(row["peak_mb"]),
    ]  # fmt: skip


def _disk(part: Part) -> str:
    shapes = [shape for shape in Shape if any(shape in row.get("by_shape", {}) for row in part["summary"])]
    head = ["store", "bytes per row", "ours / it", "bar", *shapes, "MB beside"]
    bars = {OURS: "2.1", "duckdb": "0.3", "victoriametrics": "0.7", "influxdb": "0.45"}

    def cells(row: Row) -> list[str]:
        each = [number(row.get("by_shape", {}).get(shape), 2) for shape in shapes]
        ratio = "1" if row["store"] == OURS else number(row["ratio"], 2)
        return [number(row["bytes_per_row"], 2), ratio, bars[row["store"]], *each, number(row["beside_mb"], 1)]

    return rows(head, [_cells(row, cells, len(head)) for row in part["summary"]])


def _queries(part: Part) -> str:
    names = [one.name for one in ALL if one.name in part["versions"]]
    labels = [label({"store": name, "version": part["versions"][name]}) for name in names]
    peers = [name for name in names if name != OURS]
    head = ["question", *labels, "x ours", "other answers"]
    body = []
    for row in part["summary"]:
        costs = [f"{number(row['cpu_ms'][name], 2)} ({number(row['wall_ms'][name], 1)})" for name in names]
        ours = max(row["cpu_ms"].get(OURS, 0), 0.001)
        times = " / ".join(number(row["cpu_ms"][name] / ours, 1) for name in peers)
        body.append([f"{row['question']} {row['title']}", *costs, times, ", ".join(row["differs"]) or "none"])
    return rows(head, body)


def _reads(part: Part) -> str:
    return rows(_READS, [_cells(row, _reads_cells, len(_READS)) for row in part["summary"]])


def _reads_cells(row: Row) -> list[str]:
    times = [" / ".join(number(one, 1) for one in row[key]) for key in ("append_ms", "raw_ms", "latest_ms")]
    return [
        number(row["rows_per_s"]),
        times[0],
        number(row["stalls"]),
        number(row["reads"]),
        *times[1:],
        str(row["load"]),
    ]


def _memory(part: Part) -> str:
    keys = ("most_mb", "first_mb", "second_mb", "reads", "append_p99_ms", "load")
    return rows(_MEMORY, [[label(row), *(f"{row[key]:,}" for key in keys)] for row in part["summary"]])


def _large(part: Part) -> str:
    keys = (
        "rows_per_cpu_s", "bytes_per_row", "beside_mb", "filling_mb", "open_s", "open_mb", "most_mb", "load",
    )  # fmt: skip
    first = rows(_LARGE, [[label(row), *(f"{row[key]:,}" for key in keys)] for row in part["summary"]])
    asked = [
        [f"{row['question']} {row['title']}", number(row["cpu_ms"][OURS], 2), number(row["wall_ms"][OURS], 1)]
        for row in part["questions"]
    ]
    return f"{first}\n\n{rows(['question', 'CPU ms', 'wall ms'], asked)}"


def _cells(row: Row, cells: Callable[[Row], list[str]], width: int) -> list[str]:
    why = f"not installed ({row['absent']})" if "absent" in row else f"failed ({row.get('failed')})"
    if "absent" in row or "failed" in row:
        return [label(row), why.replace("|", "/").replace("\n", " "), *[""] * (width - 2)]
    return [label(row), *cells(row)]


_TABLES: Final[dict[str, Callable[[Part], str]]] = {
    "ingest": _ingest, "disk": _disk, "queries": _queries, "reads": _reads, "memory": _memory, "large": _large,
}  # fmt: skip


def chart(parts: Sequence[Part]) -> str:
    """Rows per CPU-second and bytes per row."""
    panels = []
    for name, key, title in (
        ("ingest", "rows_per_cpu_s", "Durable ingest, all work, rows per CPU-second: more is better"),
        ("disk", "bytes_per_row", "On disk, bytes per row: less is better"),
    ):
        held = [row for part in parts if part["name"] == name for row in part["summary"] if key in row]
        if held:
            panels.append(Panel(title, [(label(row).replace("**", ""), row[key]) for row in held]))
    return draw(panels, "") if panels else ""


PAGE: Final = Page("store", _INTRO, ("ingest", "disk", "queries", "reads", "memory", "large"), table, chart)
