"""The page docs/benchmarks/live.md."""

from __future__ import annotations

from typing import Any, Final

from shopfloor.services.bench.report import Page, rows

_INTRO: Final = """\
# Live

What the live transport costs, and how long a value takes from its source to a page. Everything runs on one machine: the
real server (`shopfloor server`), the pages in two other processes, each a WebSocket of its own that reads every frame;
where it says so, the real gateway behind an OPC UA server, and the real page in headless Chromium without a GPU.
*Server CPU* is that of the whole server process, storing included; *for the pages* is what it is above the same flow
without pages. Milliseconds are from the tick on the server to the frame being read, by the one clock of the machine. On
two cores the pages and the load compete with the server: times are pessimistic, CPU is not. A leg names in parentheses
how often the OPC UA server was asked to publish (`publishing_interval` of a source; by default 100 ms).

Run it yourself: `shopfloor bench live`, or one part: `shopfloor bench live --only fan-out`.
"""
_WORDS: Final = {
    "leg": "leg", "pages": "pages", "stalled": "stalled beside", "values": "values", "downtime_s": "server away, s",
    "frames_per_s": "frames/s each",
    "cpu_percent": "server CPU %", "for_pages_percent": "for the pages %", "p50_ms": "p50 ms", "p99_ms": "p99 ms",
    "max_ms": "most ms", "change_percent": "change of p99 %",
    "again_s": "live again after s", "missing": "values missing", "reloads": "reloads",
    "minutes": "minutes", "frames": "frames drawn", "first_mb": "heap MB at first", "last_mb": "at last",
    "mb_per_hour": "MB per hour", "nodes": "DOM nodes first / last", "absent": "not measured", "load": "load",
}  # fmt: skip


def table(part: dict[str, Any]) -> str:
    """The figures of a part, one row each."""
    body = part["summary"]
    known = [key for key in _WORDS if any(key in row for row in body)]
    cells = [[_cell(row.get(key)) for key in known] for row in body]
    return rows([_WORDS[key] for key in known], cells, left=1)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int | float) else str(value)


PAGE: Final = Page("live", _INTRO, ("fan-out", "stalled", "pixel", "restart", "heap"), table)
