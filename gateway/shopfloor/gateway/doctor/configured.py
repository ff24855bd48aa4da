"""A source of a plant file as the doctor examines it."""

from __future__ import annotations

from typing import Any

from shopfloor.gateway.registry import connector
from shopfloor.plant import ConfigError
from shopfloor.plant.config import PlantConfig, options


def configured(plant: PlantConfig, name: str) -> tuple[str, dict[str, Any]]:
    """The address of a source and its keys as they are written; `ConfigError` when there is nothing to examine."""
    source = plant.source(name)
    if source is None:
        known = ", ".join(one.name for one in plant.sources)
        raise ConfigError(f"The plant file has no source {name!r}: choose one of {known}.")
    options(source, connector(source.kind).options)
    wanted = dict(source.given)
    if "url" not in wanted:
        raise ConfigError(f"The source {name!r} has no address to examine: it is of the kind {source.kind}.")
    return wanted["url"], wanted
