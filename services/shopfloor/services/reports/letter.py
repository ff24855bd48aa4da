"""The mail that a report comes with: its headline, and where it is on the pages."""

from __future__ import annotations

from pathlib import Path

from shopfloor.services.notify.message import Message
from shopfloor.services.reports.compose import page
from shopfloor.services.reports.compose.headline import headline
from shopfloor.services.reports.document import Report
from shopfloor.services.reports.kept import Kept
from shopfloor.services.reports.words import Words


def letter(kept: Kept, of: Report, file: Path, link: str) -> Message:
    """A message with the file attached; `link` is the address of the pages, or empty."""
    said = page(of, kept.language)
    lines = [headline(of, Words(kept.language, of.head.timezone)), "", *said.lines]
    lines += [f"{link.rstrip('/')}/reports?report={kept.id}"] if link else []
    data = {"kind": "report", "report": kept.id, "file": kept.file}
    return Message(" ".join(said.foot.split())[:200], "\n".join(lines), data, str(file))
