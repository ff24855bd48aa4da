"""Tags: the named values of an asset, described by data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from shopfloor.plant.asset import LEVELS, AssetPath, check_segment
from shopfloor.plant.batch import Kind
from shopfloor.plant.errors import PathError


@dataclass(frozen=True, slots=True, order=True)
class TagPath:
    """An asset path and the name of one of its values.

    >>> TagPath.parse("delta/frames/line-1/cell-a/cnc-07/spindle.power").name
    'spindle.power'
    """

    asset: AssetPath
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `site/area/line/cell/asset/tag`; anything else raises `PathError`."""
        asset, slash, name = text.rpartition("/")
        if not slash or asset.count("/") != len(LEVELS) - 1:
            raise PathError(f"{text!r} has {text.count('/') + 1} parts: a tag path is {'/'.join(LEVELS)}/tag.")
        check_segment(name, text)
        return cls(AssetPath.parse(asset), name)

    def __str__(self) -> str:
        return f"{self.asset}/{self.name}"


class Side(StrEnum):
    """Which side of a limit is abnormal."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Band:
    """The range in which a value is normal, in the unit of its tag."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Limit:
    """An alarm limit after ISA-18.2: side, value, priority 1 (most urgent) to 3, delays and deadband.

    `realarm_s`: an acknowledged alarm that lasts so long asks again; `latch`: it stays until somebody resets it.
    """

    side: Side
    value: float
    priority: int = 2
    delay_s: float = 0.0
    deadband: float = 0.0
    advice: str = ""
    off_delay_s: float = 0.0
    realarm_s: float | None = None
    latch: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A value's name within its asset, and all that is known of it before it has been read."""

    name: str
    kind: Kind = Kind.FLOAT
    unit: str = ""
    title: str = ""
    description: str = ""
    decimals: int = 2
    normal: Band | None = None
    limits: tuple[Limit, ...] = ()
    states: tuple[str, ...] = ()
    writable: bool = False
    range: Band | None = None
