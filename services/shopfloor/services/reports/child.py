"""The process that renders a report: the document comes as JSON on stdin, the file goes out on stdout.

`python -m shopfloor.services.reports.child --language en --format pdf`
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import msgspec
from shopfloor.services.reports.compose import page
from shopfloor.services.reports.document import Report
from shopfloor.services.reports.words import Format, Language


def unpacked(data: bytes) -> Report:
    """A document out of JSON."""
    return msgspec.json.decode(data, type=Report)


def rendered(report: Report, language: Language, kind: Format) -> bytes:
    """The file."""
    said = page(report, language)
    if kind == "html":
        from shopfloor.services.reports.render.html import html

        return html(said)
    from shopfloor.services.reports.render.pdf import pdf

    return pdf(said)


def main(argv: Sequence[str] | None = None) -> int:
    """Render once."""
    parser = argparse.ArgumentParser(prog="shopfloor-report", description=__doc__)
    parser.add_argument("--language", choices=("en", "zh"), required=True, help="language of the report")
    parser.add_argument("--format", choices=("html", "pdf"), required=True, help="what kind of file it becomes")
    given = parser.parse_args(argv)
    os.nice(5)
    sys.stdout.buffer.write(rendered(unpacked(sys.stdin.buffer.read()), given.language, given.format))
    return 0


if __name__ == "__main__":
    sys.exit(main())
