"""A picture: a few shapes that SVG and PDF draw alike. Units are those of its width; y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

INKS: Final = {
    "text": "#181d22", "muted": "#454d55", "line": "#b3b9bf", "edge": "#6d757d", "band": "#dfe3e6", "page": "#ffffff",
    "trace": "#2a3f55", "run": "#aab1b8", "wait": "#cfd3d7", "halt": "#22282e", "setup": "#7d868e",
    "abnormal": "#c3141d", "p1": "#c3141d", "p2": "#ffd21f", "p3": "#7a2fb8",
}  # fmt: skip
"""Colours by name: greys, and those of what is abnormal (ISA-101)."""

WIDTH: Final = 720.0
"""How wide pictures are that fill a page."""
SIZE: Final = 11.0
"""Size of their texts."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; `dashed` for limits."""

    points: tuple[Point, ...]
    ink: str = "line"
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon, with an edge where one is named."""

    points: tuple[Point, ...]
    ink: str = "band"
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text whose baseline is at y."""

    x: float
    y: float
    text: str
    ink: str = "text"
    anchor: Literal["start", "middle", "end"] = "start"
    size: float = SIZE
    bold: bool = False


Shape: TypeAlias = Stroke | Area | Label


@dataclass(frozen=True, slots=True)
class Picture:
    """Shapes, drawn in their order; `says` is what somebody hears who does not see it."""

    height: float
    shapes: tuple[Shape, ...]
    says: str
    width: float = WIDTH


def box(x: float, y: float, width: float, height: float, ink: str, edge: str = "") -> Area:
    """A rectangle.

    >>> box(0, 0, 2, 1, "run").points
    ((0, 0), (2, 0), (2, 1), (0, 1))
    """
    return Area(((x, y), (x + width, y), (x + width, y + height), (x, y + height)), ink, edge)


def priority(x: float, y: float, level: int, radius: float = 6.0) -> tuple[Shape, ...]:
    """The sign of an alarm's priority: square 1, triangle 2, diamond 3, with its number."""
    r = radius
    corners: dict[int, tuple[Point, ...]] = {
        1: ((x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)),
        2: ((x, y - r), (x + r * 1.1, y + r), (x - r * 1.1, y + r)),
        3: ((x, y - r * 1.25), (x + r * 1.25, y), (x, y + r * 1.25), (x - r * 1.25, y)),
    }
    ink = "text" if level == 2 else "page"
    return (
        Area(corners.get(level, corners[3]), f"p{level}", "text" if level == 2 else ""),
        Label(x, y + r * (0.85 if level == 2 else 0.6), str(level), ink, "middle", r * 1.5, bold=True),
    )
