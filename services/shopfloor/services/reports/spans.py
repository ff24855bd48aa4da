"""Lengths of time in ns: a process that only renders needs no more of the store than these."""

from __future__ import annotations

from typing import Final

NS: Final = 1_000_000_000
MINUTE: Final = 60 * NS
HOUR: Final = 60 * MINUTE
