"""Which versions are judged on which assets, and by which stream: what the registry says, with all bundles open."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from shopfloor.models.bundle import Bundle, RefusedBundle
from shopfloor.models.reasons import Group
from shopfloor.models.streaming import StreamSpec, proved_stream
from shopfloor.services.brain.cards import KNOWN, opened
from shopfloor.services.brain.serving import Opened, in_use
from shopfloor.services.brain.streams.words import groups_of
from shopfloor.services.registry import Deployment, Registry, Version

log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Open:
    """An open bundle, its stream, and the groups of its features for reasons."""

    bundle: Bundle
    spec: StreamSpec
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A version with the assets for which it speaks, and those on which it is only compared."""

    version: Version
    held: Open
    scope: str
    live: frozenset[str]
    shadow: frozenset[str]

    @property
    def opened(self) -> Opened:
        """As explanation and advice want it."""
        return Opened(self.held.bundle, self.version.number, self.version.sha, self.scope)


@dataclass(slots=True)
class Plan:
    """Made anew when the registry changed. What may speak after a rollback stays open."""

    registry: Registry
    _open: dict[str, Open] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _judged: tuple[Judged, ...] = ()
    _revision: int = -1

    def judged(self) -> tuple[Judged, ...]:
        """Every version that speaks or is compared somewhere."""
        revision = self.registry.revision
        if revision != self._revision:
            self._refresh()
            self._judged = tuple(one for name in self._names() for one in self._of(name))
            self._revision = revision
        return self._judged

    def _names(self) -> list[str]:
        return [name for name, several in self.registry.state.versions.items() if _is_stream(several[0])]

    def _refresh(self) -> None:
        state = self.registry.state
        needed = {
            state.version(name, number)
            for name in self._names()
            for place in list(state.places.get(name, {}).values())
            for number in in_use(place)
        }
        self._open = {v.sha: held for v in needed if (held := self._opened(v)) is not None}

    def _opened(self, version: Version) -> Open | None:
        if version.sha in self._open or version.sha in self._refused or version.card.state != "ready":
            return self._open.get(version.sha)
        fault = self.registry.bundles.fault(version.sha)
        try:
            bundle = None if fault else opened(self.registry.bundles.at(version.sha))
            spec = proved_stream(bundle) if bundle is not None else None
        except RefusedBundle as problem:
            fault, spec = str(problem), None
        if bundle is not None and spec is not None:
            return Open(bundle, spec, groups_of(bundle, spec))
        self._refused.add(version.sha)
        log.warning("Version %d of %s cannot be used: %s", version.number, version.name, fault or "it names no tags.")
        return None

    def _of(self, name: str) -> Iterator[Judged]:
        live: dict[int, set[str]] = {}
        shadow: dict[int, set[str]] = {}
        scopes: dict[int, str] = {}
        for asset in self.registry.assets("*"):
            deployment = self.registry.resolve(name, asset)
            speaks = self._speaks(name, deployment)
            if speaks is not None:
                live.setdefault(speaks, set()).add(asset)
                scopes.setdefault(speaks, deployment.scope)
            for version in deployment.shadows:
                if version.number != speaks:
                    shadow.setdefault(version.number, set()).add(asset)
        for number in sorted(live.keys() | shadow.keys()):
            version = self.registry.state.version(name, number)
            if version.sha in self._open:
                yield Judged(
                    version, self._open[version.sha], scopes.get(number, "*"), _frozen(live, number),
                    _frozen(shadow, number),
                )  # fmt: skip

    def _speaks(self, name: str, deployment: Deployment) -> int | None:
        """The champion; where it cannot be opened, the one before it."""
        if deployment.live is None:
            return None
        before = self.registry.state.place(name, deployment.scope).before
        for number in (deployment.live.number, *reversed(before)):
            if self.registry.state.version(name, number).sha in self._open:
                return number
        return None


def _is_stream(version: Version) -> bool:
    return version.card.live and version.card.target not in KNOWN


def _frozen(several: Mapping[int, Collection[str]], number: int) -> frozenset[str]:
    return frozenset(several.get(number, ()))
