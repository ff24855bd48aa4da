"""A bar chart as SVG: for looking, drawn without a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 760
_LABEL: Final = 170
_NUMBER: Final = 130
_BAR: Final = 18
_STEP: Final = 26
_HEAD: Final = 34
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#3d4852}.t{font-weight:600}.o{fill:#0b7285}.p{fill:#adb5bd}"
    "@media(prefers-color-scheme:dark){text{fill:#dee2e6}.o{fill:#3bc9db}.p{fill:#5c636a}}"
)


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars under one title: name and length; the first that is called `ours` stands out."""

    title: str
    bars: Sequence[tuple[str, float]]


def draw(panels: Sequence[Panel], unit: str) -> str:
    """The chart, one panel below the other, each with a scale of its own that begins at 0.

    >>> draw([Panel("Bulk", [("ours", 2.0), ("peer", 1.0)])], "values/s").count("<rect")
    2
    """
    parts, top = [], 0
    for panel in panels:
        parts += _panel(panel, unit, top)
        top += _HEAD + _STEP * len(panel.bars) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img">'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _panel(panel: Panel, unit: str, top: int) -> list[str]:
    longest = max((value for _, value in panel.bars), default=1.0) or 1.0
    parts = [f'<text class="t" x="0" y="{top + 20}">{escape(panel.title)}</text>']
    for row, (name, value) in enumerate(panel.bars):
        y = top + _HEAD + row * _STEP
        width = max(1.0, (_WIDTH - _LABEL - _NUMBER) * value / longest)
        look = "o" if name.startswith("ours") else "p"
        parts.append(f'<text x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="{look}" x="{_LABEL}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="3"/>')
        parts.append(f'<text x="{_LABEL + width + 8:.1f}" y="{y + 13}">{_short(value)} {escape(unit)}</text>')
    return parts


def _short(value: float) -> str:
    """A number as people say it.

    >>> _short(2_345_678), _short(23_456), _short(950)
    ('2.35 M', '23.5 k', '950')
    """
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value / 1e3:.3g} k" if value >= 1e3 else f"{value:.3g}"
