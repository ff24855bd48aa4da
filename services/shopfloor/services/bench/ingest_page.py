"""The page docs/benchmarks/ingest.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shopfloor.services.bench.chart import Panel, draw
from shopfloor.services.bench.report import Page, number, rows
from shopfloor.services.bench.scenario import SCENARIOS

_INTRO: Final = """\
# Ingest

What one CPU-second takes in, ours beside its peers, each in a process of its own, on the same load, one after the other
in interleaved rounds; the table shows medians of the rounds, and `x ours` is the CPU per value as a multiple of ours
within the same round. **Ours is the whole gateway up to the commit on disk** (source, pipeline, SQLite spool with
`synchronous=FULL`, forwarder); the peers decode and hand over, but for thingsboard-gateway, which is measured whole and
whose values are counted where they arrive. Values are sequence numbers on a grid of source times, so that every gap is
seen. CPU is user and system time of the process; delay runs from source time to received (ours: to committed).

A client that *falls behind* delivers in the window what it decoded before, so that its CPU per value is no figure to
quote: only that it cannot carry this load here.

Run it yourself: `shopfloor bench ingest`, or one part: `shopfloor bench ingest --only bulk,plain`.
"""
_HEAD: Final = (
    "client", "values/s", "us CPU per value", "values per CPU-s", "x ours", "gaps", "twice", "delay p50 / p99 ms",
    "MB", "server us per value", "subscribed in s", "load",
)  # fmt: skip


def table(part: dict[str, Any]) -> str:
    """One scenario; a client that is absent or failed has a row that says so."""
    return rows(_HEAD, [_cells(row) for row in part["summary"]])


def _cells(row: dict[str, Any]) -> list[str]:
    name = f"**{row['client']}**" if row["client"] == "ours" else row["client"]
    name = f"{name} {row.get('version') or ''}".strip()
    if "received" not in row:
        why = f"not installed ({row['absent']})" if row.get("absent") else f"failed ({row.get('failed')})"
        return [name, why.replace("|", "/"), *[""] * (len(_HEAD) - 2)]
    if row["received"] < 0.95 * row["expected"]:
        name += " (falls behind)"
    return [
        name, number(row["values_per_s"]), number(row["us_per_value"], 2), number(row["values_per_cpu_s"]),
        "1" if row["client"] == "ours" else number(row["ratio"], 1), number(row["gaps"]), number(row["duplicates"]),
        f"{number(row['p50_ms'])} / {number(row['p99_ms'])}", number(row["rss_mb"]),
        number(row["server_us_per_value"], 2), number(row["subscribe_s"], 1), number(row["load"], 1),
    ]  # fmt: skip


def chart(parts: Sequence[dict[str, Any]]) -> str:
    """Values per CPU-second of every part that has at least two clients."""
    panels = []
    for part in parts:
        bars = [(row["client"], row["values_per_cpu_s"]) for row in part["summary"] if row.get("values_per_cpu_s")]
        if len(bars) > 1 and not part["name"].startswith("subscribe"):
            panels.append(Panel(part["title"], bars))
    return draw(panels, "values per CPU-second") if panels else ""


PAGE: Final = Page("ingest", _INTRO, [one.name for one in SCENARIOS], table, chart)
