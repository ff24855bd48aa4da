"""Bars: a Pareto chart of causes, losses beside what is usual, and counts by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from shopfloor.services.reports.picture import WIDTH, Label, Picture, Shape, Stroke, box
from shopfloor.services.reports.plots.axis import Frame, times, values
from shopfloor.services.reports.words import Words

_NAMES: Final = 210.0
_ROW: Final = 20.0


def ranked(rows: Sequence[tuple[str, float, str]], says: str, words: Words) -> Picture:
    """Rows of (name, amount, what is written beside it), the largest first, with their shares added up (Pareto)."""
    most, total = max((amount for _, amount, _ in rows), default=0.0), sum(amount for _, amount, _ in rows)
    shapes: list[Shape] = []
    sum_ = 0.0
    for i, (name, amount, text) in enumerate(rows):
        top, sum_ = i * _ROW, sum_ + amount
        wide = round((WIDTH - _NAMES - 170) * amount / most, 1) if most else 0.0
        shapes += [
            Label(_NAMES - 8, top + 14, shortened(name), anchor="end"),
            box(_NAMES, top + 3, max(wide, 1.0), _ROW - 7, "edge"),
            Label(_NAMES + wide + 6, top + 14, text, "muted", size=10),
            Label(WIDTH - 4, top + 14, words.share(sum_ / total if total else None, 0), "muted", "end", 10),
        ]
    return Picture(max(_ROW * len(rows) + 4, 24), tuple(shapes), says)


def compared(rows: Sequence[tuple[str, float, float | None]], says: str, words: Words) -> Picture:
    """Rows of (name, seconds now, seconds usually): a bar, and a mark where it usually ends."""
    most = max((max(now, usual or 0.0) for _, now, usual in rows), default=0.0)
    scale = (WIDTH - _NAMES - 200) / most if most > 0 else 0.0
    shapes: list[Shape] = []
    for i, (name, now, usual) in enumerate(rows):
        top, wide = i * _ROW, round(max(now, 0.0) * scale, 1)
        shapes += [Label(_NAMES - 8, top + 14, name, anchor="end"), box(_NAMES, top + 3, wide, _ROW - 7, "run")]
        end = _NAMES + wide
        if usual is not None:
            mark = round(_NAMES + max(usual, 0.0) * scale, 1)
            shapes.append(Stroke(((mark, top + 1), (mark, top + _ROW - 2)), "text", 2))
            end = max(end, mark)
        beside = words.span(now) if usual is None else f"{words.span(now)}  ({words.span(usual)})"
        shapes.append(Label(end + 8, top + 14, beside, "muted", size=10))
    return Picture(max(_ROW * len(rows) + 4, 24), tuple(shapes), says)


def hourly(hours: Sequence[int], counts: Sequence[int], guide: float, says: str, words: Words) -> Picture:
    """Counts by the hour, with the guide value as a dashed line; hours above it are dark."""
    high = max([*counts, guide]) * 1.1
    frame = Frame(hours[0], hours[-1], 0.0, high, 8, 100)
    shapes: list[Shape] = list(values(frame, words))
    for (first, last), count in zip(pairwise(hours), counts, strict=True):
        x, y = frame.x(first) + 1, frame.y(count)
        if count:
            shapes.append(
                box(x, y, max(frame.x(last) - x - 1, 1), frame.bottom - y, "halt" if count > guide else "run")
            )
            shapes.append(Label((x + frame.x(last)) / 2, y - 2 if y > 18 else y + 11, str(count),
                                "text" if y > 18 else "page" if count > guide else "text", "middle", 9))  # fmt: skip
    level = frame.y(guide)
    shapes.append(Stroke(((frame.left, level), (frame.right, level)), "text", 1, dashed=True))
    return Picture(120, (*shapes, *times(frame, words)), says)


def shortened(text: str, most: int = 34) -> str:
    """A name that fits beside its bar.

    >>> shortened("a" * 40, 8)
    'aaaaaaa…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
