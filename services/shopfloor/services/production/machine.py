"""Machines: the assets whose type declares production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shopfloor.plant import Asset, Reader, ShopfloorError
from shopfloor.plant.config import PlantConfig, ProductionSection
from shopfloor.services.historian.options import NS
from shopfloor.services.production.visits import Visits, settled, visits


class ProductionUnknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """A machine, stop, order, part or lot that is not known."""


class ProductionRefused(ShopfloorError, ValueError):  # noqa: N818 (an answer)
    """Something that cannot be done now, with the reason."""


@dataclass(frozen=True, slots=True)
class Machine:
    """An asset and how its production is found."""

    asset: Asset
    production: ProductionSection

    @property
    def path(self) -> str:
        """site/area/line/cell/asset."""
        return str(self.asset.path)

    @property
    def line(self) -> str:
        """site/area/line."""
        return self.path.rsplit("/", 2)[0]

    def tag(self, name: str) -> str:
        """The full path of one of its tags."""
        return f"{self.path}/{name}"

    @property
    def margin(self) -> int:
        """So long (ns) after a time its last visit and its last count are known for good."""
        return round(max(self.production.minor_stop, self.production.loading) * NS) + NS

    @property
    def counting(self) -> tuple[str, ...]:
        """The names of the tags out of which times and counts are made."""
        section = self.production
        measured = (section.result.tag, section.result.part) if section.result else ()
        return tuple(name for name in (section.state, section.count, section.item, section.scrap, *measured) if name)

    def visits(self, reader: Reader, start: int, end: int, now: int) -> Visits:
        """What it did from before `start` to after `end` (at most `now`), what is short told apart.

        So much more is looked at that a visit at a border is judged by its whole length.
        """
        section = self.production
        first, last = start - self.margin, max(end, min(end + self.margin, now))
        table = reader.read([self.tag(section.state)], first, last, previous=True)
        return settled(visits(table, section, first, last), section)


def machines(config: PlantConfig) -> Mapping[str, Machine]:
    """All machines of a plant by their paths, in the order of the file."""
    pairs = ((asset, config.types[asset.type].production) for asset in config.assets)
    return {str(asset.path): Machine(asset, section) for asset, section in pairs if section}
