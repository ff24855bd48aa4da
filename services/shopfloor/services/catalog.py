"""The catalogue: every asset and tag that the server knows, from the plant file and from what arrived."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shopfloor.plant import Asset, AssetPath, Batch, Kind, PathError, ShopfloorError, Tag, TagPath
from shopfloor.plant.condition import is_conditions
from shopfloor.plant.config import PlantConfig
from shopfloor.services.historian.selector import Selector


class Unknown(ShopfloorError):  # noqa: N818 (a state of the world)
    """A name that is neither in the plant file nor in the store."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag and where it stands."""

    path: str
    asset: str
    tag: Tag


def origin_of(gateway: str, source: str) -> str:
    """How a source of a gateway is told from all others.

    >>> origin_of("edge-1-00c0ffee", "machining")
    'edge-1-00c0ffee/machining'
    """
    return f"{gateway}/{source}"


class Catalog:
    """Assets and tags by their paths. Tags that a gateway sends beyond the plant file are learned."""

    def __init__(self, config: PlantConfig) -> None:
        self._lock = threading.Lock()
        self._titles = {name: kind.title for name, kind in config.types.items()}
        self.assets: dict[str, Asset] = {str(asset.path): asset for asset in config.assets}
        self.tags: dict[str, Entry] = {}
        self._origins: dict[str, str] = {}
        self._newest: dict[str, int] = {}
        self._of: dict[str, list[Entry]] = {path: [] for path in self.assets}
        for path, asset in self.assets.items():
            for tag in config.tags_of(asset):
                self._add(Entry(f"{path}/{tag.name}", path, tag))

    def learn(self, names: Iterable[str], kind: Kind) -> None:
        """Take up tags that are not in the plant file; what is no path, and statements of devices, are left out."""
        for name in names:
            if name not in self.tags and not is_conditions(name):
                self._learn(name, kind)

    def heard(self, gateway: str, source: str, batch: Batch) -> None:
        """Values came from this source of this gateway. What is older than those of another source takes no tag."""
        origin, newest = origin_of(gateway, source), int(batch.time.max(initial=0))
        self._newest[origin] = max(newest, self._newest.get(origin, 0))
        for name in batch.names:
            known = self._origins.get(name)
            if known is None or (known != origin and newest >= self._newest[known]):
                self._origins[name] = origin

    def origin(self, tag: str) -> str | None:
        """Where the newest values of a tag came from, as `origin_of` names it; None before anything came."""
        return self._origins.get(tag)

    def asset(self, path: str) -> Asset:
        """The asset at a path; an unknown one raises `Unknown` with the closest name."""
        if path in self.assets:
            return self.assets[path]
        raise Unknown(f"There is no asset {path[:200]!r}{_hint(path, self.assets)}")

    def find(self, path: str) -> Entry:
        """The tag at a full path; an unknown one raises `Unknown` with the closest name."""
        if path in self.tags:
            return self.tags[path]
        raise Unknown(f"There is no tag {path[:200]!r}{_hint(path, self.tags)}")

    def select(self, selectors: Sequence[str]) -> list[str]:
        """The tags that any of the selectors chooses, each once; one that chooses none raises `Unknown`."""
        chosen: dict[str, None] = {}
        for text in selectors:
            found = [text] if text in self.tags else Selector(text).choose(list(self.tags))
            if not found:
                raise Unknown(f"No tag fits {text[:200]!r}{_hint(text, self.tags)}")
            chosen.update(dict.fromkeys(found))
        return list(chosen)

    def of(self, asset: str) -> list[Entry]:
        """The tags of an asset, in the order of the plant file."""
        return list(self._of.get(asset, ()))

    def type_title(self, asset: Asset) -> str:
        """How people call the type of an asset."""
        return self._titles.get(asset.type, asset.type)

    def _learn(self, name: str, kind: Kind) -> None:
        try:
            path = TagPath.parse(name)
        except PathError:
            return
        with self._lock:
            asset = str(path.asset)
            if asset not in self.assets:
                self.assets[asset] = Asset(AssetPath.parse(asset), "", path.asset.asset)
                self._of[asset] = []
            if name not in self.tags:
                self._add(Entry(name, asset, Tag(path.name, kind, title=path.name)))

    def _add(self, entry: Entry) -> None:
        self.tags[entry.path] = entry
        self._of[entry.asset].append(entry)


def _hint(path: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(path[:200], list(known), 1, 0.6)
    return f": did you mean {close[0]!r}?" if close else ": ask /api/v1/tags for those that are."
