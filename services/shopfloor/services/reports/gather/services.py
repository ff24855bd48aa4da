"""The services that a report asks, and the part of the plant that it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shopfloor.plant import Reader
from shopfloor.plant.config import PlantConfig
from shopfloor.services.alarms import Alarms
from shopfloor.services.catalog import Catalog, Entry, Unknown
from shopfloor.services.ledger import Account
from shopfloor.services.production import Machine, Production
from shopfloor.services.quality import Charts
from shopfloor.services.thinking import Thinking


@dataclass(frozen=True, slots=True)
class Services:
    """What a report is made of."""

    config: PlantConfig
    catalog: Catalog
    reader: Reader
    alarms: Alarms
    charts: Charts
    production: Production
    brain: Thinking
    accounts: Callable[[], Sequence[Account]]
    clock: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Scope:
    """A time (UTC ns) and a part of the plant: its assets, and those of them that are machines with production."""

    services: Services
    place: str
    start: int
    end: int

    @property
    def assets(self) -> list[str]:
        """Paths of the assets at or below the place."""
        return [path for path in list(self.services.catalog.assets) if self.holds(path)]

    @property
    def machines(self) -> list[Machine]:
        """The machines at or below the place."""
        return [machine for path, machine in self.services.production.machines.items() if self.holds(path)]

    def holds(self, path: str) -> bool:
        """Whether an asset, or what is below it, belongs to the place."""
        return not self.place or f"{path}/".startswith(f"{self.place}/")

    def title(self, path: str) -> str:
        """What people call an asset; its path where nobody does."""
        asset = self.services.catalog.assets.get(path)
        return (asset.title or asset.path.asset) if asset else path

    def tags(self) -> list[Entry]:
        """The tags of the assets."""
        return [entry for path in self.assets for entry in self.services.catalog.of(path)]


def scope(services: Services, place: str, start: int, end: int) -> Scope:
    """A part of the plant by its path; one that is not there raises `Unknown`."""
    found = Scope(services, place.strip("/"), start, end)
    if not found.assets:
        raise Unknown(f"There is nothing at {place[:200]!r}: ask /api/v1/assets for what there is.")
    return found
