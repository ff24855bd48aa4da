"""What the person at the terminal sees: one line with the address, then the progress, then silence."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Mapping
from typing import Any, Final, TextIO

_EVERY_S: Final = 10.0


class Screen:
    """One status line that is rewritten on a terminal; elsewhere a line now and then."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._tty = out.isatty()
        self._shown = ""
        self._when = 0.0

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self._write(f"\r\x1b[K{text}\n" if self._tty else f"{text}\n")
        self._shown = ""

    def status(self, text: str) -> None:
        """Show what goes on; the same text is not shown twice."""
        if text == self._shown:
            return
        if self._tty:
            self._write(f"\r\x1b[K{text}")
        elif time.monotonic() - self._when < _EVERY_S:
            return
        elif text:
            self._write(f"{text}\n")
        self._shown, self._when = text, time.monotonic()

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def progress(health: Mapping[str, Any]) -> str:
    """History and brain, while they run; "" when both are done.

    >>> progress({"history": {"state": "importing", "progress": 0.25}, "brain": {"state": "waiting", "progress": 0}})
    'History 25 %'
    """
    history, brain = health["history"], health["brain"]
    parts = []
    if history["state"] == "importing":
        parts.append(f"History {100 * history['progress']:.0f} %")
    if brain["state"] == "training":
        parts.append(f"Brain {100 * brain['progress']:.0f} %")
    if brain["state"] == "failed":
        parts.append(f"Brain: {brain['sentence']}")
    return " · ".join(parts)


def open_browser(url: str) -> None:
    """Open the page where there is a display."""
    if sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
