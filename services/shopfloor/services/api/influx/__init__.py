"""The doors for clients of InfluxDB."""

from __future__ import annotations

from fastapi import APIRouter
from shopfloor.plant.config import PlantConfig
from shopfloor.services.api.influx import asking, writing
from shopfloor.services.api.influx.writing import WRITES, InfluxProblem
from shopfloor.services.clock import Clock
from shopfloor.services.historian import Historian
from shopfloor.services.influx.ql.index import Index

__all__ = ["WRITES", "InfluxProblem", "doors"]


def doors(config: PlantConfig, historian: Historian, clock: Clock) -> list[APIRouter]:
    """Writing and asking, over the store of a plant."""
    door = writing.open_door(config, historian, clock)
    questions = asking.Questions(historian, Index(door.names, historian.reader), config.plant.site, clock)
    return [writing.router(door), asking.router(questions)]
