"""From sealed bundles to versions in the registry: the first of a name speaks, later ones are compared and proposed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.models.inputs import TARGETS
from shopfloor.plant.asset import Asset
from shopfloor.plant.errors import ShopfloorError
from shopfloor.services.brain.cards import KNOWN
from shopfloor.services.brain.serving import Registered
from shopfloor.services.registry import Registry, Version
from shopfloor.services.registry.words import EVERYWHERE, SYSTEM

log: Final = logging.getLogger(__name__)
TRAINER: Final = f"{SYSTEM}: brain"


@dataclass(frozen=True, slots=True)
class Adopting:
    """Submits what was learned. `folder` is where the brain's own bundles lie."""

    registry: Registry
    serving: Registered
    assets: Sequence[Asset]
    folder: Path

    def adopt(self, folder: Path) -> None:
        """Submit the sealed bundles in a folder. The first of a name speaks, later ones are compared and proposed."""
        for target in KNOWN:
            if not (folder / target).is_dir():
                continue
            try:
                self._place(self.registry.submit(folder / target, TRAINER, "Learned from the plant's own history."))
            except ShopfloorError as problem:
                log.warning("%s", problem)

    def _place(self, version: Version) -> None:
        registry, name, number = self.registry, version.name, version.number
        if registry.is_placed(name, number) or registry.begin_with(version, EVERYWHERE):
            return
        if version.card.target not in self.serving.champions():
            registry.replace_damaged(version, EVERYWHERE, "The version before it cannot be opened.")
            return
        registry.shadow(name, number, EVERYWHERE, TRAINER, "It waits for a person to approve it.", propose=True)

    def can_judge(self) -> bool:
        """Whether there are models, and none is missing whose bundle was there."""
        wanted = {target for asset in self.assets for target in TARGETS[asset.type]}
        found = self.serving.champions().keys() & wanted
        return bool(found) and not any((self.folder / target).is_dir() for target in wanted - found)
