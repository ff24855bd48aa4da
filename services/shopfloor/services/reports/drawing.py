"""Render a report in a process of its own, so that the pages and values of the server wait for nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import msgspec
from shopfloor.plant import StoreError
from shopfloor.services.reports.document import Report
from shopfloor.services.reports.words import Format, Language

_CHILD: Final = "shopfloor.services.reports.child"
_PATIENCE_S: Final = 120.0
_LAST: Final = 300


class NotDrawn(StoreError):  # noqa: N818 (a state of the world)
    """The process that renders has failed; the sentence says why."""


def packed(report: Report) -> bytes:
    """A document as JSON."""
    return msgspec.json.encode(report)


def drawn(report: Report, language: Language, kind: Format) -> bytes:
    """The file, rendered by a child; what goes wrong there raises `NotDrawn`."""
    command = [sys.executable, "-m", _CHILD, "--language", language, "--format", kind]
    try:
        child = subprocess.run(command, input=packed(report), capture_output=True, timeout=_PATIENCE_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotDrawn(f"The report could not be rendered ({type(problem).__name__}): try it again.") from problem
    if child.returncode:
        last = child.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][-_LAST:]
        raise NotDrawn(f"The report could not be rendered ({last or child.returncode}): see the server's log.")
    return child.stdout
