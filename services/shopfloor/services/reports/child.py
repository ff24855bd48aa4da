"""The process that makes a report: it reads the stores beside their server, and writes the file.

`python -m shopfloor.services.reports.child`: a task on stdin, the answer on stdout; a refusal is a sentence on stderr.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from shopfloor.plant import ShopfloorError
from shopfloor.plant.arrow import without_pandas
from shopfloor.services.reports.compose import page
from shopfloor.services.reports.document import Report
from shopfloor.services.reports.gather import Stores, gather
from shopfloor.services.reports.task import Done, Wish, task

REFUSED: Final = 3
"""Exit code of what is told in a sentence."""


def file(report: Report, wish: Wish) -> bytes:
    """A report as it is sent and printed."""
    said = page(report, wish.language)
    if wish.format == "html":
        from shopfloor.services.reports.render.html import html

        return html(said)
    from shopfloor.services.reports.render.pdf import pdf

    return pdf(said)


def main() -> int:
    """Make one report."""
    os.nice(5)
    without_pandas()
    asked = task(sys.stdin.buffer.read())
    try:
        with Stores.open(asked.config, Path(asked.folder), asked.head.made) as found:
            report = gather(found, asked.head, asked.told)
    except ShopfloorError as problem:
        sys.stderr.write(str(problem))
        return REFUSED
    made = Done(report, file(report, asked.wish) if asked.wish else b"")
    sys.stdout.buffer.write(made.packed())
    return 0


if __name__ == "__main__":
    sys.exit(main())
