"""Assets and where they stand: ISA-95's site, area, line, cell, asset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from shopfloor.plant.errors import PathError

LEVELS: Final = ("site", "area", "line", "cell", "asset")
_SEGMENT: Final = re.compile(r"[^\s/#+\x00-\x1f]+(?: [^\s/#+\x00-\x1f]+)*")


def check_segment(segment: str, whole: str) -> None:
    """Refuse a path segment that an MQTT topic or a URL could not carry."""
    if not _SEGMENT.fullmatch(segment):
        raise PathError(
            f"{whole!r} has the segment {segment!r}: a segment is text without '/', '#', '+' or surrounding blanks."
        )


@dataclass(frozen=True, slots=True, order=True)
class AssetPath:
    """Where an asset stands in the plant.

    >>> AssetPath.parse("delta/frames/line-1/cell-a/cnc-07").line
    'line-1'
    """

    site: str
    area: str
    line: str
    cell: str
    asset: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `site/area/line/cell/asset`; anything else raises `PathError`."""
        parts = text.split("/")
        if len(parts) != len(LEVELS):
            raise PathError(f"{text!r} has {len(parts)} parts: an asset path is {'/'.join(LEVELS)}.")
        for part in parts:
            check_segment(part, text)
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.site}/{self.area}/{self.line}/{self.cell}/{self.asset}"


@dataclass(frozen=True, slots=True)
class Asset:
    """One machine, pot, vessel or station. `type` names the asset type that lists its tags."""

    path: AssetPath
    type: str
    title: str
