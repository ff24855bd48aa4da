"""A plant file as the rest of the product sees it: ranges counted through, references checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shopfloor.plant.asset import Asset
from shopfloor.plant.config.accounts import AccountsSection
from shopfloor.plant.config.alarms import AlarmsSection, FirstOutSection, SuppressSection
from shopfloor.plant.config.document import Document
from shopfloor.plant.config.production import ProductionSection
from shopfloor.plant.config.quality import ChartSection
from shopfloor.plant.config.reports import ReportsSection
from shopfloor.plant.config.sections import GatewaySection, PlantSection, ServerSection
from shopfloor.plant.config.store import StoreSection
from shopfloor.plant.tag import Tag


@dataclass(frozen=True, slots=True)
class AssetType:
    """What the assets of one type have in common."""

    name: str
    title: str
    tags: tuple[Tag, ...]
    charts: Mapping[str, ChartSection] = field(default_factory=dict)
    suppress: tuple[SuppressSection, ...] = ()
    first_out: Mapping[str, FirstOutSection] = field(default_factory=dict)
    production: ProductionSection | None = None


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """A source of the plant file. `given` holds the keys of its kind, unchecked: see `options`."""

    name: str
    kind: str
    given: Mapping[str, Any]
    document: Document = field(repr=False, compare=False)
    index: int = 0


@dataclass(frozen=True)
class PlantConfig:
    """One plant: its asset types, assets, processes, store and sources."""

    plant: PlantSection
    types: Mapping[str, AssetType]
    assets: tuple[Asset, ...]
    gateway: GatewaySection
    server: ServerSection
    store: StoreSection
    sources: tuple[SourceConfig, ...]
    alarms: AlarmsSection = field(default_factory=AlarmsSection)
    accounts: AccountsSection = field(default_factory=AccountsSection)
    reports: ReportsSection = field(default_factory=ReportsSection)

    def tags_of(self, asset: Asset) -> tuple[Tag, ...]:
        """The tags of an asset, in the order of the file."""
        return self.types[asset.type].tags

    def tag(self, path: str) -> Tag | None:
        """The tag at a full path `site/area/line/cell/asset/tag`, or None."""
        return self._tags.get(path)

    def asset(self, path: str) -> Asset | None:
        """The asset at a path `site/area/line/cell/asset`, or None."""
        return self._assets.get(path)

    def source(self, name: str) -> SourceConfig | None:
        """The source of that name, or None."""
        return next((source for source in self.sources if source.name == name), None)

    def tag_paths(self) -> tuple[str, ...]:
        """Full path of every tag of every asset, in the order of the file."""
        return tuple(self._tags)

    @cached_property
    def _tags(self) -> dict[str, Tag]:
        return dict(self._pairs())

    @cached_property
    def _assets(self) -> dict[str, Asset]:
        return {str(asset.path): asset for asset in self.assets}

    def _pairs(self) -> Iterator[tuple[str, Tag]]:
        for asset in self.assets:
            for tag in self.tags_of(asset):
                yield f"{asset.path}/{tag.name}", tag
