"""What the registry needs to know of a bundle: the one place where it looks into one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shopfloor.models.bundle import Bundle, Manifest, RefusedBundle, load
from shopfloor.models.features import PART_FEATURES, POT_FEATURES
from shopfloor.models.features.window import DESCRIBE
from shopfloor.models.inputs import TARGETS
from shopfloor.models.streaming import proved_stream
from shopfloor.services.registry import Card

_FEATURES: Final = {"machine-tool": PART_FEATURES, "reduction-pot": POT_FEATURES}
KNOWN: Final = {target: kind for kind, targets in TARGETS.items() for target in targets}
"""The asset type of every target that the brain judges by features of its own."""
_SETTINGS: Final = {
    "dimension": (),
    "tool_life": ("mean_life",),
    "out_of_tolerance": ("base_rate",),
    "pot_unusual": ("watch", "act"),
    "anode_effect": ("watch", "act", "horizon_minutes", "base_rate"),
}
"""What the words on each of them speak of."""


def opened(folder: Path, target: str = "") -> Bundle:
    """Open a bundle; one that is damaged, or of other features than its target has, raises `RefusedBundle`.

    Of a target of the brain's own its golden windows, where it has any, are described again: other feature code shows.
    """
    if target in KNOWN:
        return load(folder, _FEATURES[KNOWN[target]], describe=DESCRIBE[KNOWN[target]])
    bundle = load(folder)
    proved_stream(bundle)
    return bundle


def card(folder: Path) -> Card:
    """The card of a bundle; what must not be used raises `RefusedBundle`."""
    bundle = opened(folder)
    said = bundle.manifest
    _check_name(said)
    if said.target in KNOWN:
        opened(folder, said.target)
        _check_settings(said)
    return card_of(bundle)


def card_of(bundle: Bundle) -> Card:
    """The card of an opened bundle."""
    said = bundle.manifest
    level = said.settings.get("watch", 1.0) if said.kind in ("distance", "novelty") else None
    return Card(
        said.name, said.target, said.title, said.kind, said.unit, said.coverage, said.trained_at, said.state,
        said.target in KNOWN or "stream" in said.spec, tuple(said.classes), said.sha, level,
        said.settings.get("alarms_per_day", said.settings.get("alarms_per_pot_day")),
    )  # fmt: skip


def name_of(target: str) -> str:
    """The name of the model that predicts one of the targets above.

    >>> name_of("tool_life")
    'tool-life'
    """
    return target.replace("_", "-")


def _check_name(said: Manifest) -> None:
    own = {name_of(target): target for target in KNOWN}
    if said.target in KNOWN and said.name != name_of(said.target):
        raise RefusedBundle(
            f"The target {said.target} belongs to the model {name_of(said.target)}: give another target."
        )
    if said.name in own and said.target != own[said.name]:
        raise RefusedBundle(f"The name {said.name} belongs to the target {own[said.name]}: give another name.")


def _check_settings(said: Manifest) -> None:
    missing = [name for name in _SETTINGS[said.target] if name not in said.settings]
    if missing or said.kind in ("classes", "novelty"):
        what = f"the settings {', '.join(missing)}" if missing else f"another kind than {said.kind}"
        raise RefusedBundle(f"The bundle {said.name} cannot speak of {said.target}: it needs {what}.")
