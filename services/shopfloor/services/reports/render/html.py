"""HTML that stands on its own: one file, its style and pictures inside, no script, no address."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from shopfloor.services.reports.blocks import Block, Figure, Figures, Heading, Page, Plot, Say, Table
from shopfloor.services.reports.picture import INKS, Area, Label, Picture, Point, Shape, Stroke
from shopfloor.services.reports.render.policy import STYLE


def html(page: Page) -> bytes:
    """The whole file."""
    about = "".join(f'<p class="about">{escape(line)}</p>' for line in page.lines)
    body = "".join(part for block in page.blocks for part in _block(block))
    lang = {"zh": "zh-CN"}.get(page.language, page.language)
    text = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.foot)}</title><style>{STYLE}</style></head>"
        f'<body><main class="report"><h1>{escape(page.title)}</h1>{about}{body}'
        f"</main></body></html>"
    )
    return text.encode()


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"<h{block.level}>{escape(block.text)}</h{block.level}>"
        case Say():
            yield f'<p class="headline">{escape(block.text)}</p>' if block.strong else f"<p>{escape(block.text)}</p>"
        case Figures():
            yield f'<ul class="figures">{"".join(map(_figure, block.each))}</ul>'
        case Table():
            yield _scrolled(block.name, _table(block))
        case Plot():
            caption = f"<figcaption>{escape(block.caption)}</figcaption>"
            yield f"<figure>{caption}{_scrolled(block.caption, svg(block.picture))}</figure>"


def _figure(one: Figure) -> str:
    """A number; what is abnormal has a frame and a sign, so that colour is not alone."""
    kind, sign = (' class="abnormal"', "! ") if one.abnormal else ("", "")
    note = f"<span>{escape(one.note)}</span>" if one.note else ""
    return f"<li{kind}><span>{escape(one.label)}</span><strong>{sign}{escape(one.value)}</strong>{note}</li>"


def _scrolled(name: str, inside: str) -> str:
    """What is wider than a phone can be moved, by the keyboard as well."""
    return f'<div class="scroll" role="group" tabindex="0" aria-label="{escape(name)}">{inside}</div>'


def _table(block: Table) -> str:
    side = [' class="r"' if side == "r" else "" for side in block.sides]
    head = "".join(f'<th scope="col"{c}>{escape(text)}</th>' for text, c in zip(block.head, side, strict=True))
    rows = (
        "<tr>" + "".join(f"<td{c}>{escape(text)}</td>" for text, c in zip(row, side, strict=True)) + "</tr>"
        for row in block.rows
    )
    kind = ' class="last"' if block.last else ""
    return f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def svg(picture: Picture) -> str:
    """A picture as inline SVG.

    >>> svg(Picture(10.0, (Stroke(((0.0, 1.0), (5.0, 1.0))),), "A line"))[-72:]
    '<path d="M0 1L5 1" fill="none" stroke="#b3b9bf" stroke-width="1"/></svg>'
    """
    shapes = "".join(map(_shape, picture.shapes))
    box = f"0 0 {picture.width:g} {picture.height:g}"
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(picture.says)}">{shapes}</svg>'


def _shape(shape: Shape) -> str:
    match shape:
        case Stroke():
            dash = ' stroke-dasharray="4 3"' if shape.dashed else ""
            ink, width = INKS[shape.ink], f"{shape.width:g}"
            return f'<path d="{_path(shape.points)}" fill="none" stroke="{ink}" stroke-width="{width}"{dash}/>'
        case Area():
            edge = f' stroke="{INKS[shape.edge]}"' if shape.edge else ""
            return f'<path d="{_path(shape.points)}Z" fill="{INKS[shape.ink]}"{edge}/>'
        case Label():
            anchor = f' text-anchor="{shape.anchor}"' if shape.anchor != "start" else ""
            bold = ' font-weight="700"' if shape.bold else ""
            at = f'x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size:g}"'
            return f'<text {at} fill="{INKS[shape.ink]}"{anchor}{bold}>{escape(shape.text)}</text>'


def _path(points: tuple[Point, ...]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
