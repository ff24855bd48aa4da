"""Where a report finds the values and records of its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shopfloor.plant import Reader
from shopfloor.plant.config import PlantConfig
from shopfloor.services import store
from shopfloor.services.catalog import Catalog
from shopfloor.services.historian import open_folder
from shopfloor.services.production import Production


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of a server, read beside it."""

    catalog: Catalog
    reader: Reader
    production: Production

    @classmethod
    @contextmanager
    def open(cls, config: PlantConfig, folder: Path, now: int) -> Iterator[Stores]:
        """Hold the stores of a data folder as they are; its server runs on."""
        with open_folder(folder / "store") as values:
            catalog = Catalog(config)
            store.recall(catalog, values.reader)
            with Production.beside(config, values.reader, folder / "production", lambda: now) as production:
                yield cls(catalog, values.reader, production)
