"""Which opened bundles serve which assets: what the registry says, with everything it may go back to kept open."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from shopfloor.models.bundle import Bundle, RefusedBundle
from shopfloor.services.brain.cards import name_of, opened
from shopfloor.services.registry import Registry, Version
from shopfloor.services.registry.words import Place

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A bundle that is open; `number` and `sha` are those of its version in the registry."""

    bundle: Bundle
    number: int = 1
    sha: str = ""
    scope: str = "*"


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Assets that the same versions serve: their places in what was asked, who speaks, who is only compared."""

    rows: tuple[int, ...]
    live: Opened
    shadows: tuple[Opened, ...] = ()


class Serving(Protocol):
    """What live judging asks."""

    def groups(self, target: str, assets: Sequence[str]) -> list[Group]:
        """The versions that serve these assets; an asset without a model is in no group."""
        ...

    def champions(self) -> dict[str, Opened]:
        """By target, the version that speaks for most assets."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same bundle for every asset, without a registry."""

    bundles: Mapping[str, Bundle]

    def groups(self, target: str, assets: Sequence[str]) -> list[Group]:
        """One group of all, or none."""
        held = self.bundles.get(target)
        return [Group(tuple(range(len(assets))), Opened(held))] if held is not None and assets else []

    def champions(self) -> dict[str, Opened]:
        """Every bundle."""
        return {target: Opened(bundle) for target, bundle in self.bundles.items()}


@dataclass(slots=True)
class Registered:
    """What a registry says. Bundles are opened when the registry has changed, never while it is asked."""

    registry: Registry
    assets: Mapping[str, Sequence[str]]
    """Target -> the assets that have it."""
    _open: dict[str, Bundle] = field(default_factory=dict)
    _shown: dict[tuple[str, str], Opened] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _revision: int = -1

    def groups(self, target: str, assets: Sequence[str]) -> list[Group]:
        """The versions that serve these assets, by the most specific scope."""
        self.refresh()
        rows: dict[tuple[Opened, ...], list[int]] = {}
        known: dict[str, tuple[Opened, ...]] = {}
        for i, asset in enumerate(assets):
            if asset not in known:
                known[asset] = self._served(target, asset)
            rows.setdefault(known[asset], []).append(i)
        return [Group(tuple(several), served[0], served[1:]) for served, several in rows.items() if served]

    def champions(self) -> dict[str, Opened]:
        """By target, the version that speaks for most assets."""
        found = {}
        for target, assets in self.assets.items():
            spoken = Counter({group.live: len(group.rows) for group in self.groups(target, assets)})
            if spoken:
                found[target] = spoken.most_common(1)[0][0]
        return found

    def refresh(self) -> None:
        """Open what the registry may need by now, close what it no longer does."""
        if self._revision == self.registry.revision:
            return
        self._revision = self.registry.revision
        state = self.registry.state
        needed = {
            state.version(name, number)
            for name, places in list(state.places.items())
            for place in places.values()
            for number in in_use(place)
            if state.version(name, number).card.target in self.assets
        }
        self._shown.clear()
        self._open = {v.sha: bundle for v in needed if (bundle := self._opened(v)) is not None}

    def _served(self, target: str, asset: str) -> tuple[Opened, ...]:
        """Who speaks for an asset, then who is compared; empty where nobody speaks."""
        deployment = self.registry.resolve(name_of(target), asset)
        if deployment.live is None:
            return ()
        live = self._as_opened(deployment.live, deployment.scope) or self._before(deployment.live, deployment.scope)
        shadows = [self._as_opened(version, deployment.scope) for version in deployment.shadows]
        return (live, *(s for s in shadows if s is not None and s is not live)) if live is not None else ()

    def _before(self, version: Version, scope: str) -> Opened | None:
        """The champion before one that cannot be opened."""
        for number in reversed(self.registry.state.place(version.name, scope).before):
            found = self._as_opened(self.registry.state.version(version.name, number), scope)
            if found is not None:
                return found
        return None

    def _as_opened(self, version: Version, scope: str) -> Opened | None:
        if version.sha not in self._open:
            return None
        key = (version.sha, scope)
        if key not in self._shown:
            self._shown[key] = Opened(self._open[version.sha], version.number, version.sha, scope)
        return self._shown[key]

    def _opened(self, version: Version) -> Bundle | None:
        if version.sha in self._open or version.sha in self._refused:
            return self._open.get(version.sha)
        fault = self.registry.bundles.fault(version.sha)
        if not fault:
            try:
                return opened(self.registry.bundles.at(version.sha), version.card.target)
            except RefusedBundle as problem:
                fault = str(problem)
        self._refused.add(version.sha)
        log.warning("Version %d of %s cannot be used: %s", version.number, version.name, fault)
        return None


def in_use(place: Place) -> set[int]:
    """The versions that speak, are compared, or would speak after a rollback."""
    spreading = [place.rollout.number] if place.rollout else []
    champion = [place.champion] if place.champion is not None else []
    return {*champion, *place.before[-1:], *place.shadows, *spreading}
