"""How the file of a report is called."""

from __future__ import annotations

import re

from shopfloor.services.reports.period import Period


def file_name(place: str, period: Period, kind: str) -> str:
    """A name that says where and when, of letters that every system takes.

    >>> late = Period("shift", 0, 1, "late", "2026-11-26")
    >>> file_name("delta/frames/machining", late, "pdf")
    'report-frames-machining-2026-11-26-late.pdf'
    >>> file_name("", Period("day", 0, 1, "", "2026-11-26"), "html")
    'report-2026-11-26.html'
    """
    parts = ["report", *place.split("/")[1:], period.day, period.shift]
    clean = (re.sub(r"[^A-Za-z0-9_.-]+", "-", part).strip(".-") for part in parts)
    return "-".join(part for part in clean if part) + f".{kind}"
