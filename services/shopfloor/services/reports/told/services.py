"""Whom a report asks in a server that is running."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shopfloor.plant.config import PlantConfig
from shopfloor.services.alarms import Alarms
from shopfloor.services.catalog import Catalog
from shopfloor.services.ledger import Account
from shopfloor.services.production import Production
from shopfloor.services.quality import Charts
from shopfloor.services.thinking import Thinking


@dataclass(frozen=True, slots=True)
class Services:
    """The services that a report asks."""

    config: PlantConfig
    catalog: Catalog
    alarms: Alarms
    charts: Charts
    production: Production
    brain: Thinking
    accounts: Callable[[], Sequence[Account]]
    clock: Callable[[], int]
