"""The parts that need the packages of the models, and what stands in for them where those are not installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shopfloor.plant.config import PlantConfig
from shopfloor.services.clock import Clock
from shopfloor.services.historian import Historian
from shopfloor.services.registry import Card, Refused, Registry
from shopfloor.services.replaying import NoReplays, Replaying
from shopfloor.services.thinking import NoBrain, Thinking


def brain(
    config: PlantConfig, historian: Historian, folder: Path, time: Clock, registry: Registry, ready: Callable[[], bool]
) -> Thinking:
    """The brain, or none where the packages that it needs are not installed."""
    try:
        from shopfloor.services.brain import Brain
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("shopfloor"):
            raise
        return NoBrain()
    return Brain(config, historian.reader, folder, time, registry, ready)


def replays(config: PlantConfig, historian: Historian, registry: Registry) -> Replaying:
    """Replays, or none where the packages that they need are not installed."""
    try:
        from shopfloor.services.brain.replay.jobs import Replays
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("shopfloor"):
            raise
        return NoReplays(NoBrain().sentence)
    return Replays(registry, historian.reader, list(config.assets))


def card(bundle: Path) -> Card:
    """What a bundle says of itself; opening one needs the packages of the models."""
    try:
        from shopfloor.services.brain.cards import card as told
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("shopfloor"):
            raise
        raise Refused(NoBrain().sentence) from missing
    return told(bundle)
