"""What a page of a report is made of, in words of one language: renderers know nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from shopfloor.services.reports.picture import Picture
from shopfloor.services.reports.words import Language


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a section (level 2) or of a part of it (3)."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence; a `strong` one is the headline."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it is, and what it is compared with; `abnormal` ones are marked by colour and a sign."""

    label: str
    value: str
    note: str = ""
    abnormal: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers in a row."""

    each: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts below heads; `sides` has "l" or "r" for each column; `last` sets the last row apart."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sides: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture with its caption."""

    picture: Picture
    caption: str


Block: TypeAlias = Heading | Say | Figures | Table | Plot


@dataclass(frozen=True, slots=True)
class Page:
    """A report, ready to be rendered."""

    language: Language
    title: str
    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    foot: str
