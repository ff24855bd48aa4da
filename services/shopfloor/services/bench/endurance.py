"""The page docs/benchmarks/endurance.md: soak and kill."""

from __future__ import annotations

from typing import Any, Final

from shopfloor.services.bench.report import Page, rows

_INTRO: Final = """\
# Endurance

The real gateway (`shopfloor gateway`) between a columnar OPC UA server and the real server (`shopfloor server`), all on
one machine. `shopfloor bench soak` watches its memory; `shopfloor bench kill` ends it with SIGKILL at random moments
and compares what the OPC UA server was told is safe with what can be read back from the store. `shopfloor bench
store-kill` ends the store itself: at any moment, while segments are flushed and compacted, and while it is backed up.
"""
_WORDS: Final = {
    "minutes": "minutes", "values_stored": "values stored", "values_per_s": "values/s", "cpu_percent": "CPU %",
    "first_mb": "MB at first", "last_mb": "MB at last", "most_mb": "MB at most", "mb_per_hour": "MB per hour",
    "kills": "kills", "acknowledged": "values acknowledged", "lost": "of them lost", "twice": "stored twice",
    "torn": "batches torn",
    "changed": "answers changed", "backups": "backups", "damaged": "of them damaged", "open_s": "slowest open, s",
    "ledger": "ledger", "load": "load",
}  # fmt: skip


def table(part: dict[str, Any]) -> str:
    """One row of figures."""
    row = part["summary"][0]
    known = [key for key in _WORDS if key in row]
    cells = [f"{row[key]:,}" if isinstance(row[key], int | float) else str(row[key]) for key in known]
    return rows([_WORDS[key] for key in known], [cells], left=0)


PAGE: Final = Page("endurance", _INTRO, ("soak", "kill", "store-kill"), table)
