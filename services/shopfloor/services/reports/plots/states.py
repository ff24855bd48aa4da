"""What machines did: a lane for each, the darker and taller the worse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shopfloor.services.reports.document import Lane
from shopfloor.services.reports.picture import WIDTH, Label, Picture, Shape, Stroke, box
from shopfloor.services.reports.plots.axis import Frame, times
from shopfloor.services.reports.words import Words

LOOK: Final = {
    "running": ("run", 0.5), "setup": ("setup", 0.7), "idle": ("wait", 0.3), "blocked": ("edge", 0.7),
    "starved": ("edge", 0.3), "minor-stop": ("halt", 0.5), "down": ("halt", 1.0), "planned-stop": ("wait", 0.12),
    "unknown": ("", 0.0),
}  # fmt: skip
"""Ink and height of each kind of time; what is unknown is left empty."""
_LANE: Final = 17.0
_LEFT: Final = 96.0
_LEGEND: Final = 22.0


def states(lanes: tuple[Lane, ...], start: int, end: int, words: Words) -> Picture:
    """Lanes from start to end (UTC ns), with a legend of the kinds that occur."""
    bottom = _LEGEND + _LANE * len(lanes)
    frame = Frame(start, end, 0, 1, _LEGEND, bottom, _LEFT)
    shapes: list[Shape] = list(_legend(lanes, words))
    for i, lane in enumerate(lanes):
        shapes += _lane(lane, frame, _LEGEND + _LANE * (i + 1))
    return Picture(bottom + 22, (*shapes, *times(frame, words)), words.t("states"))


def _lane(lane: Lane, frame: Frame, base: float) -> Iterator[Shape]:
    yield Label(_LEFT - 6, base - 4, lane.title, anchor="end", size=10)
    for first, last, kind in zip(lane.edges, lane.edges[1:], lane.kinds, strict=False):
        ink, tall = LOOK[kind]
        x, wide = frame.x(first), frame.x(last) - frame.x(first)
        if ink and wide > 0:
            high = (_LANE - 4) * tall
            yield box(x, base - 1 - high, wide, high, ink)
    yield Stroke(((_LEFT, base - 1), (frame.right, base - 1)), "line", 0.5)


def _legend(lanes: tuple[Lane, ...], words: Words) -> Iterator[Shape]:
    seen = {kind for lane in lanes for kind in lane.kinds}
    shown = [kind for kind in LOOK if kind in seen]
    step = min(100.0, (WIDTH - _LEFT) / max(len(shown), 1))
    for i, kind in enumerate(shown):
        ink, tall = LOOK[kind]
        x = _LEFT + i * step
        yield box(x, 12 - 10 * (tall or 1), 10, 10 * (tall or 1), ink or "page", "" if ink else "line")
        yield Label(x + 14, 11, words.known("loss", kind), "muted", size=9.5)
