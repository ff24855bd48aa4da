"""What an operator may choose about the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

NS: Final = 1_000_000_000
MINUTE: Final = 60 * NS
HOUR: Final = 3600 * NS
DAY: Final = 86_400 * NS
FOREVER: Final = (-(2**62), 2**62)
"""Start and end of a question about everything."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds that something is kept after the UTC day of its time has ended; None is for ever.

    `tags` says it for the rows of the tags that a selector chooses, the first one that does, instead of `raw_s`.
    """

    raw_s: float | None = None
    minutes_s: float | None = None
    hours_s: float | None = None
    tags: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes and ages of the store; the defaults suit a plant of 30,000 values a second in 300 MB of memory."""

    flush_rows: int = 1_000_000
    flush_age_s: float = 120.0
    group_rows: int = 16384
    compact_segments: int = 16
    quiet_s: float = 900.0
    """How long nothing must have come for a day that is over before its segments become one."""
    backlog: int = 3
    """How many sealed memtables may wait for the disk before `ingest` waits, and then refuses."""
    patience_s: float = 20.0
    """How long `ingest` waits for the backlog before it raises `SinkUnavailable`."""
    reserve_bytes: int = 128_000_000
    """Free space that the log leaves to the segments, so that a full disk can still be flushed."""
    retention: Retention = field(default_factory=Retention)
