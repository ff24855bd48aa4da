"""Small plots as inline SVG, drawn by hand: they follow the page's colours, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WIDTH: Final = 460
_HEIGHT: Final = 260
_LEFT, _BOTTOM, _TOP, _RIGHT = 52, 40, 12, 12
_TICKS: Final = 5
_MOST_POINTS: Final = 800


@dataclass(frozen=True, slots=True)
class Axes:
    """The ranges of a plot, and where its points lie on the sheet."""

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, value: float) -> float:
        """Pixels from the left."""
        return _LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (_WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        """Pixels from the top."""
        return _HEIGHT - _BOTTOM - (value - self.y[0]) / (self.y[1] - self.y[0]) * (_HEIGHT - _BOTTOM - _TOP)


def scatter(x: NDArray[np.float64], y: NDArray[np.float64], across: str, up: str) -> str:
    """Points over the diagonal on which they should lie."""
    rows = np.linspace(0, len(x) - 1, min(len(x), _MOST_POINTS)).astype(int)
    low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    axes = Axes((low, high if high > low else low + 1.0), (low, high if high > low else low + 1.0))
    points = "".join(
        f'<circle cx="{axes.across(a):.1f}" cy="{axes.down(b):.1f}" r="2"/>'
        for a, b in zip(x[rows].tolist(), y[rows].tolist(), strict=True)
    )
    return _sheet(axes, across, up, f'{_diagonal(axes)}<g class="points">{points}</g>')


def curves(lines: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]], across: str, up: str) -> str:
    """Named lines between 0 and 1, over the diagonal."""
    axes = Axes((0.0, 1.0), (0.0, 1.0))
    body = [_diagonal(axes)]
    for i, (name, x, y) in enumerate(lines):
        path = " ".join(f"{axes.across(a):.1f},{axes.down(b):.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
        label = f'<text class="legend c{i}" x="{_LEFT + 10}" y="{_TOP + 16 + 16 * i}">{escape(name)}</text>'
        body.append(f'<polyline class="c{i}" points="{path}"/>{label}')
    return _sheet(axes, across, up, "".join(body))


def histogram(values: NDArray[np.float64], marked: float | None, across: str) -> str:
    """How often which value occurs, with a marked one."""
    low, high = (float(q) for q in np.quantile(values, [0.0, 0.999]))
    high = max(high, marked if marked is not None else high) * 1.02 if high > 0 else high + 1.0
    count, edges = np.histogram(values, bins=40, range=(low, high if high > low else low + 1.0))
    axes = Axes((float(edges[0]), float(edges[-1])), (0.0, float(count.max())))
    bars = "".join(
        f'<rect x="{axes.across(a):.1f}" y="{axes.down(n):.1f}" width="{axes.across(b) - axes.across(a) - 1:.1f}"'
        f' height="{axes.down(0) - axes.down(n):.1f}"/>'
        for n, a, b in zip(count.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    )
    mark = ""
    if marked is not None:
        at = axes.across(marked)
        mark = f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{axes.down(0):.1f}"/>'
    return _sheet(axes, across, "rows", f'<g class="bars">{bars}</g>{mark}')


def bars(named: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars with their names, longest first."""
    longest = max((value for _, value in named), default=1.0) or 1.0
    rows = []
    for i, (name, value) in enumerate(named):
        y, width = 22 * i, max(value / longest, 0.0) * 170
        rows.append(
            f'<text class="name" x="232" y="{y + 15}">{escape(name[:36])}</text>'
            f'<rect x="240" y="{y + 4}" width="{width:.1f}" height="14"/>'
            f'<text x="{246 + width:.1f}" y="{y + 15}">{value:.2g}</text>'
        )
    height = 22 * len(named) + 6
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img"><g class="bars">{"".join(rows)}</g></svg>'


def _diagonal(axes: Axes) -> str:
    (a, b), (c, d) = axes.x, axes.y
    return (
        f'<line class="ideal" x1="{axes.across(a):.1f}" y1="{axes.down(c):.1f}"'
        f' x2="{axes.across(b):.1f}" y2="{axes.down(d):.1f}"/>'
    )


def _sheet(axes: Axes, across: str, up: str, body: str) -> str:
    y = _HEIGHT - _BOTTOM + 16
    ticks = [
        f'<text class="tick" x="{axes.across(value):.1f}" y="{y}">{_short(value)}</text>'
        for value in np.linspace(*axes.x, _TICKS).tolist()
    ]
    for value in np.linspace(*axes.y, _TICKS).tolist():
        at = axes.down(value)
        ticks.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        ticks.append(f'<text class="side" x="{_LEFT - 6}" y="{at + 4:.1f}">{_short(value)}</text>')
    names = (
        f'<text class="tick" x="{(_LEFT + _WIDTH) / 2}" y="{_HEIGHT - 6}">{escape(across)}</text>'
        f'<text class="tick" transform="translate(13 {_HEIGHT / 2}) rotate(-90)">{escape(up)}</text>'
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(ticks)}{body}{names}</svg>'


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1e4 else f"{value:.1e}"
