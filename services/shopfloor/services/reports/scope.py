"""The time and the part of a plant that a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from shopfloor.services.catalog import Catalog, Entry, Unknown
from shopfloor.services.production import Machine, Production


class Known(Protocol):
    """Who is asked knows the plant."""

    @property
    def catalog(self) -> Catalog:
        """Its assets and tags."""
        ...

    @property
    def production(self) -> Production:
        """Its machines."""
        ...


S = TypeVar("S", bound=Known)


@dataclass(frozen=True, slots=True)
class Scope(Generic[S]):
    """A time (UTC ns) and a part of the plant: its assets, and those of them that are machines with production."""

    services: S
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


def scope(services: S, place: str, start: int, end: int) -> Scope[S]:
    """A part of the plant by its path; one that is not there raises `Unknown`."""
    found = Scope(services, place.strip("/"), start, end)
    if not found.assets:
        raise Unknown(f"There is nothing at {place[:200]!r}: ask /api/v1/assets for what there is.")
    return found
