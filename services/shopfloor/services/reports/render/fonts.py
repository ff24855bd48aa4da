"""The fonts of a PDF: those that every reader has, so that none is embedded.

Latin text is Helvetica (one of the 14 of PDF 1.7, section 9.6.2.2); all else is STSong-Light with Adobe's
encoding UniGB-UCS2-H, for which readers bring a font of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from shopfloor.services.reports.words import Language

LATIN: Final = "Helvetica"
BOLD: Final = "Helvetica-Bold"
CHINESE: Final = "STSong-Light"


@cache
def prepare() -> None:
    """Make the Chinese font known, once in a process."""
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


def runs(text: str, bold: bool = False) -> Iterator[tuple[str, str]]:
    """Parts of a text with the font that has their letters.

    >>> list(runs("CNC 01 停机"))
    [('Helvetica', 'CNC 01 '), ('STSong-Light', '停机')]
    """
    for latin, letters in groupby(text, _is_latin):
        yield (BOLD if bold else LATIN) if latin else CHINESE, "".join(letters)


def marked(text: str, language: Language) -> str:
    """A text for a paragraph, its fonts marked."""
    if language == "en" and _all_latin(text):
        return escape(text)
    return "".join(
        escape(part) if font == LATIN else f'<font name="{CHINESE}">{escape(part)}</font>' for font, part in runs(text)
    )


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is, in points."""
    return float(sum(pdfmetrics.stringWidth(part, font, size) for font, part in runs(text, bold)))


def _is_latin(letter: str) -> bool:
    return letter <= "\x7e" or _all_latin(letter)


def _all_latin(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
