"""How far a long work is: one line on a terminal, nothing where the output is read by a program."""

from __future__ import annotations

import sys
import time
from typing import Final, Self, TextIO

_EVERY_S: Final = 0.2


class Progress:
    """A line that is rewritten on a terminal while the block runs; call it with (done, total) in `unit`.

    >>> told = Progress("Copying", "bytes")
    >>> told.text(50_000_000, 200_000_000, 2.0)
    'Copying 25 %, 50,000,000 of 200,000,000 bytes, 25,000,000 a second, 6 s left'
    """

    def __init__(self, work: str, unit: str, out: TextIO | None = None) -> None:
        self._work, self._unit, self._out = work, unit, out or sys.stderr
        self._began = self._shown = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._out.isatty():
            self._out.write("\r\x1b[K")
            self._out.flush()

    def __call__(self, done: int, total: int) -> None:
        """Show it, a few times a second."""
        now = time.monotonic()
        if self._out.isatty() and now - self._shown >= _EVERY_S:
            self._shown = now
            self._out.write(f"\r\x1b[K{self.text(done, total, now - self._began)}")
            self._out.flush()

    def text(self, done: int, total: int, seconds: float) -> str:
        """What the line says; a total of 0 is not known."""
        rate = done / seconds if seconds > 0 else 0.0
        share = f" {100 * done / total:.0f} %, {done:,} of {total:,}" if total else f" {done:,}"
        left = f", {max(total - done, 0) / rate:.0f} s left" if total and rate else ""
        return f"{self._work}{share} {self._unit}, {rate:,.0f} a second{left}"
