"""What the registry needs to know of a bundle: the one place where it looks into one."""

from __future__ import annotations

from pathlib import Path

from shopfloor.models.bundle import Bundle, load
from shopfloor.models.features import PART_FEATURES, POT_FEATURES
from shopfloor.models.inputs import TARGETS
from shopfloor.services.registry import Card

_FEATURES = {"machine-tool": PART_FEATURES, "reduction-pot": POT_FEATURES}
KNOWN = {target: kind for kind, targets in TARGETS.items() for target in targets}
"""The asset type of every target that the brain judges."""


def opened(folder: Path, target: str = "") -> Bundle:
    """Open a bundle; one that is damaged, or of other features than its target has, raises `RefusedBundle`."""
    return load(folder, _FEATURES[KNOWN[target]] if target in KNOWN else None)


def card(folder: Path) -> Card:
    """The card of a bundle; what must not be used raises `RefusedBundle`."""
    said = opened(folder).manifest
    if said.target in KNOWN:
        opened(folder, said.target)
    return Card(
        said.name, said.target, said.title, said.kind, said.unit, said.coverage, said.trained_at, said.state
    )  # fmt: skip
