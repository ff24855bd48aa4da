"""Curves: a control chart with its lines, and a tag within its normal band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shopfloor.services.reports.document import ChartLine, Trend
from shopfloor.services.reports.picture import Picture, Point, Shape, Stroke, box
from shopfloor.services.reports.plots.axis import Frame, spread, times, values
from shopfloor.services.reports.words import Words

_TOP, _BOTTOM = 22.0, 128.0


def control(chart: ChartLine, start: int, end: int, says: str, words: Words) -> Picture | None:
    """A control chart: points, centre line, limits dashed; what breaks a rule is a square."""
    plot = chart.plot
    if plot is None or not plot.time:
        return None
    low, high = spread([*plot.value, *plot.lower, *plot.upper])
    frame = Frame(start, end, low, high, _TOP, _BOTTOM)
    shapes: list[Shape] = list(values(frame, words, chart.unit))
    for column, dashed in ((plot.centre, False), (plot.lower, True), (plot.upper, True)):
        shapes += [Stroke(_across(part, frame), "edge", 1, dashed) for part in _parts(frame, plot.time, column)]
    shapes += [Stroke(part, "trace", 1) for part in _parts(frame, plot.time, plot.value)]
    for time, value, out in zip(plot.time, plot.value, plot.out, strict=True):
        if value is not None:
            x, y, half = frame.x(time), frame.y(value), 3.0 if out else 1.4
            shapes.append(box(x - half, y - half, 2 * half, 2 * half, "abnormal" if out else "trace"))
    return Picture(_BOTTOM + 22, (*shapes, *times(frame, words)), says)


def trend(one: Trend, start: int, end: int, says: str, words: Words) -> Picture:
    """A tag from least to greatest in each portion of time, before its normal band; what lies outside is dark."""
    low, high = spread([*one.low, *one.high, *one.band])
    frame = Frame(start, end, low, high, _TOP, _BOTTOM)
    top, bottom = frame.y(one.band[1]), frame.y(one.band[0])
    shapes: list[Shape] = [box(frame.left, top, frame.right - frame.left, bottom - top, "band")]
    shapes += list(values(frame, words, one.unit))
    shapes += list(_range(frame, one))
    return Picture(_BOTTOM + 22, (*shapes, *times(frame, words)), says)


def _range(frame: Frame, one: Trend) -> Iterator[Shape]:
    middle = [None if a is None or b is None else (a + b) / 2 for a, b in zip(one.low, one.high, strict=True)]
    for time, low, high in zip(one.time, one.low, one.high, strict=True):
        if low is not None and high is not None:
            ink = "abnormal" if low < one.band[0] or high > one.band[1] else "edge"
            x, upper = frame.x(time), frame.y(high)
            yield box(x - 1.2, upper - 0.6, 2.4, frame.y(low) - upper + 1.2, ink)
    for part in _parts(frame, one.time, middle):
        yield Stroke(part, "trace", 0.8)


def _parts(frame: Frame, time: Sequence[int], column: Sequence[float | None]) -> list[tuple[Point, ...]]:
    """Runs of known values, as points: nothing is drawn over a gap."""
    found: list[list[Point]] = [[]]
    for moment, value in zip(time, column, strict=True):
        if value is not None:
            found[-1].append((frame.x(moment), frame.y(value)))
        elif found[-1]:
            found.append([])
    return [tuple(part) for part in found if part]


def _across(part: tuple[Point, ...], frame: Frame) -> tuple[Point, ...]:
    """A line of one point, or one that is level, from side to side; the inner points of a level line are left out."""
    levels = {y for _, y in part}
    if len(levels) == 1:
        y = levels.pop()
        return (frame.left, y), (frame.right, y)
    return part
