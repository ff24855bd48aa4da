"""Axes: from time and value to where it is drawn, with ticks that people read easily."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shopfloor.services.historian.options import HOUR, MINUTE
from shopfloor.services.reports.picture import WIDTH, Label, Shape, Stroke
from shopfloor.services.reports.words import Words

_STEPS: Final = tuple(n * MINUTE for n in (1, 5, 10, 30, 60, 120, 180, 240, 360, 720, 1440))


@dataclass(frozen=True, slots=True)
class Frame:
    """A field of a picture: `left` to `right`, `top` to `bottom`, over a time (UTC ns) and a range of values."""

    start: int
    end: int
    low: float
    high: float
    top: float
    bottom: float
    left: float = 60.0
    right: float = WIDTH - 12.0

    def x(self, time: int) -> float:
        """Where a time is drawn."""
        share = (time - self.start) / max(self.end - self.start, 1)
        return round(self.left + share * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        """Where a value is drawn; beyond the range at its border.

        >>> Frame(0, 1, 0.0, 10.0, top=0.0, bottom=100.0).y(2.5)
        75.0
        """
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1.0)
        return round(self.bottom - share * (self.bottom - self.top), 1)


def times(frame: Frame, words: Words) -> Iterator[Shape]:
    """Ticks of time at the bottom, at round local times."""
    step = next((one for one in _STEPS if (frame.end - frame.start) / one <= 9), _STEPS[-1])
    offset = _offset(words, frame.start)
    first = -(-(frame.start + offset) // step) * step - offset
    for time in range(first, frame.end + 1, step):
        x = frame.x(time)
        yield Stroke(((x, frame.bottom), (x, frame.bottom + 4)), "edge")
        yield Label(x, frame.bottom + 15, words.clock(time), "muted", "middle", 10)


def values(frame: Frame, words: Words, unit: str = "") -> Iterator[Shape]:
    """Ticks of value at the left, with faint lines across."""
    ticks = nice(frame.low, frame.high)
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]))) if len(ticks) > 1 else 0
    for tick in ticks:
        y = frame.y(tick)
        yield Stroke(((frame.left, y), (frame.right, y)), "band", 0.6)
        yield Label(frame.left - 6, y + 3.5, words.number(tick, digits), "muted", "end", 10)
    if unit:
        yield Label(frame.left - 6, frame.top - 8, unit, "muted", "end", 10)


def nice(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers within a range.

    >>> nice(0.0, 9.0), nice(-0.3, 0.3)
    ([0.0, 2.0, 4.0, 6.0, 8.0], [-0.2, 0.0, 0.2])
    """
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) + 0.0 for n in range(first, last + 1)]


def spread(numbers: Iterable[float | None], room: float = 0.08) -> tuple[float, float]:
    """The range of numbers with some room around.

    >>> spread([1.0, None, 3.0], 0.5)
    (0.0, 4.0)
    """
    known = [one for one in numbers if one is not None and math.isfinite(one)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    more = (high - low) * room or abs(high) * room or 1.0
    return low - more, high + more


def _offset(words: Words, moment: int) -> int:
    """How far local time is from UTC, in ns, so that ticks are at round local hours."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    local = datetime.fromtimestamp(moment // 1_000_000_000, ZoneInfo(words.timezone)).utcoffset()
    return round(local.total_seconds() / 3600 * HOUR) if local else 0
