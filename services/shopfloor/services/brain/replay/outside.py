"""A replay without a server: bundles by their paths, over the store in a data folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from shopfloor.models.bundle import Bundle, RefusedBundle, load
from shopfloor.models.inputs import MACHINE, POT
from shopfloor.plant.asset import Asset, AssetPath
from shopfloor.services.brain.cards import KNOWN, opened
from shopfloor.services.brain.replay.outcome import Costs
from shopfloor.services.brain.replay.replay import Question, Told, replay
from shopfloor.services.brain.serving import Opened
from shopfloor.services.historian import open_folder
from shopfloor.services.registry import Policy
from shopfloor.services.registry.scope import scope

_SIGNS: Final = {MACHINE: {"part.count", "state"}, POT: {"resistance", "anode_effect"}}
"""Tags by which an asset is known, where no plant file tells its type."""
_LEVELS: Final = 4


def replay_folder(
    data: Path, paths: Sequence[Path], where: str, span: tuple[int, int], costs: tuple[float, float], told: Told
) -> dict[str, Any]:
    """The first bundle, and the second where there is one, over [start, end) UTC ns; nothing is kept."""
    models = [Opened(_bundle(path), i) for i, path in enumerate(paths)]
    with open_folder(data / "store") as folder:
        own = models[0].bundle.manifest.target in KNOWN
        assets = assets_of(folder.tags.values()) if own else every_asset(folder.tags.values())
        question = Question(scope(where), *span, Costs(*costs))
        return replay(folder.reader, assets, models, question, {}, Policy(), told).to_json()


def _bundle(path: Path) -> Bundle:
    said = load(path).manifest
    if said.target not in KNOWN and "stream" not in said.spec:
        raise RefusedBundle(
            f"The bundle {path.name} names no tags that it could be replayed by: seal a StreamSpec in it."
        )
    return opened(path, said.target)


def every_asset(tags: Iterable[str]) -> list[Asset]:
    """The assets of a store, whatever they are.

    >>> [str(a.path) for a in every_asset(["a/b/c/d/press/force", "a/b/c/d/press/oil", "a/b/line"])]
    ['a/b/c/d/press']
    """
    paths = sorted({tag.rpartition("/")[0] for tag in tags})
    return [Asset(AssetPath.parse(path), "", path) for path in paths if path.count("/") == _LEVELS]


def assets_of(tags: Iterable[str]) -> list[Asset]:
    """The assets of a store that models know, by the names of their tags.

    >>> [a.type for a in assets_of(["a/b/c/d/m-1/part.count", "a/b/c/d/m-1/state", "a/b/c/d/x/state"])]
    ['machine-tool']
    """
    held: dict[str, set[str]] = {}
    for tag in tags:
        asset, _, name = tag.rpartition("/")
        held.setdefault(asset, set()).add(name)
    return [
        Asset(AssetPath.parse(asset), kind, asset)
        for asset, names in sorted(held.items())
        for kind, signs in _SIGNS.items()
        if signs <= names and asset.count("/") == _LEVELS
    ]
