"""PDF on A4, of the same blocks and pictures as HTML, by ReportLab."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid
from shopfloor.services.reports.blocks import Block, Figure, Figures, Heading, Page, Plot, Say, Table
from shopfloor.services.reports.picture import INKS
from shopfloor.services.reports.render import fonts
from shopfloor.services.reports.render.drawn import Drawn
from shopfloor.services.reports.words import Language, Words

_MARGIN: Final = 14 * mm
_WIDE: Final = A4[0] - 2 * _MARGIN - 12
"""As wide as a paragraph: a frame keeps six points to both sides."""
_CELL: Final = 7.6
_LEAST: Final = 26.0


class _Styles:
    """Paragraphs of one language: Chinese breaks between any two letters."""

    def __init__(self, language: Language) -> None:
        self.language = language
        more: dict[str, Any] = {"wordWrap": "CJK"} if language == "zh" else {}
        self.plain = ParagraphStyle("plain", fontName=fonts.LATIN, fontSize=9, leading=12.5, spaceAfter=3, **more)
        self.about = ParagraphStyle("about", self.plain, textColor=HexColor(INKS["muted"]), spaceAfter=1)
        self.title = ParagraphStyle("title", self.plain, fontName=fonts.BOLD, fontSize=17, leading=22, spaceAfter=4)
        self.head = ParagraphStyle(
            "head",
            self.plain,
            fontName=fonts.BOLD,
            fontSize=12,
            leading=15,
            spaceBefore=11,
            spaceAfter=5,
            keepWithNext=1,
        )
        self.part = ParagraphStyle("part", self.head, fontSize=9.5, leading=12, spaceBefore=7, spaceAfter=3)
        self.strong = ParagraphStyle(
            "strong", self.plain, fontName=fonts.BOLD, fontSize=11, leading=15, spaceBefore=7, spaceAfter=5,
            backColor=HexColor("#eceef0"), borderPadding=(5, 7, 6, 7),
        )  # fmt: skip
        self.cell = ParagraphStyle("cell", self.plain, fontSize=_CELL, leading=9.6, spaceAfter=0)
        self.right = ParagraphStyle("right", self.cell, alignment=2)
        self.label = ParagraphStyle("label", self.cell, textColor=HexColor(INKS["muted"]))
        self.value = ParagraphStyle("value", self.plain, fontName=fonts.BOLD, fontSize=13, leading=16, spaceAfter=0)

    def write(self, text: str, style: ParagraphStyle) -> Paragraph:
        """A paragraph of a text."""
        return Paragraph(fonts.marked(text, self.language), style)


def pdf(page: Page) -> bytes:
    """The whole file."""
    fonts.prepare()
    styles, target = _Styles(page.language), io.BytesIO()
    story: list[Flowable] = [styles.write(page.title, styles.title)]
    story += [styles.write(line, styles.about) for line in page.lines]
    for block, following in zip_longest(page.blocks, page.blocks[1:]):
        story += _together(block, following)
        story += _block(block, styles)
    document = SimpleDocTemplate(
        target, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=13 * mm, bottomMargin=16 * mm,
        title=page.foot, author="Shopfloor", lang=page.language,
    )  # fmt: skip
    foot = _foot(page)
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return target.getvalue()


def _together(block: Block, following: Block | None) -> list[Flowable]:
    """A heading begins a new page where what it is about would not fit below it."""
    if not isinstance(block, Heading):
        return []
    room = following.picture.height * _WIDE / following.picture.width + 60 if isinstance(following, Plot) else 90
    return [CondPageBreak(room)]


def _foot(page: Page) -> Any:
    words = Words(page.language)

    def draw(canvas: Any, document: Any) -> None:
        text = f"{page.foot} · {words.t('page', n=document.page)}"
        canvas.setFillColor(HexColor(INKS["muted"]))
        x = _MARGIN
        for font, part in fonts.runs(text):
            canvas.setFont(font, 7.5)
            canvas.drawString(x, 9 * mm, part)
            x += canvas.stringWidth(part, font, 7.5)

    return draw


def _block(block: Block, styles: _Styles) -> Iterator[Flowable]:
    match block:
        case Heading():
            yield styles.write(block.text, styles.head if block.level == 2 else styles.part)
        case Say():
            yield styles.write(block.text, styles.strong if block.strong else styles.plain)
            yield Spacer(1, 4 if block.strong else 0)
        case Figures():
            yield _figures(block, styles)
        case Table():
            yield _table(block, styles)
        case Plot():
            caption = ParagraphStyle("caption", styles.about, spaceBefore=5, fontSize=8)
            yield KeepTogether([styles.write(block.caption, caption), Drawn(block.picture, _WIDE), Spacer(1, 5)])


def _figures(block: Figures, styles: _Styles) -> Grid:
    each = [_figure(one, styles) for one in block.each]
    look: list[Any] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)]
    for i, one in enumerate(block.each):
        ink, width = ("abnormal", 1.4) if one.abnormal else ("line", 0.6)
        look.append(("BOX", (i, 0), (i, 0), width, HexColor(INKS[ink])))
    return Grid([each], colWidths=[_WIDE / len(each)] * len(each), style=look, spaceBefore=2, spaceAfter=6)


def _figure(one: Figure, styles: _Styles) -> list[Flowable]:
    sign = "! " if one.abnormal else ""
    said = [styles.write(one.label, styles.label), styles.write(sign + one.value, styles.value)]
    return said + ([styles.write(one.note, styles.label)] if one.note else [])


def _table(block: Table, styles: _Styles) -> Grid:
    sides = [styles.right if side == "r" else styles.cell for side in block.sides]
    head = [styles.write(text, style) for text, style in zip(block.head, sides, strict=True)]
    rows = [[styles.write(text, style) for text, style in zip(row, sides, strict=True)] for row in block.rows]
    look: list[Any] = [
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor(INKS["edge"])),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, HexColor(INKS["line"])),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
    if block.last:
        look.append(("LINEABOVE", (0, -1), (-1, -1), 0.8, HexColor(INKS["edge"])))
    return Grid([head, *rows], colWidths=widths(block), style=look, repeatRows=1, spaceBefore=2, spaceAfter=6)


def widths(block: Table) -> list[float]:
    """Widths of the columns in points: as wide as their texts, and where that is too much, the longest give way."""
    columns = zip(block.head, *block.rows, strict=True)
    wanted = [max(_LEAST, max(fonts.width(text, _CELL) for text in column) + 8) for column in columns]
    if sum(wanted) <= _WIDE:
        return [one * _WIDE / sum(wanted) for one in wanted]
    level = _level(wanted, _WIDE)
    return [min(one, level) for one in wanted]


def _level(wanted: list[float], whole: float) -> float:
    """The width that the longest may have, so that all fit.

    >>> _level([10.0, 50.0, 100.0], 90.0)
    40.0
    """
    left, ordered = whole, sorted(wanted)
    for i, one in enumerate(ordered):
        share = left / (len(ordered) - i)
        if one > share:
            return share
        left -= one
    return ordered[-1]
