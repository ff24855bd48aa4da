"""The models that may be asked: every version of the registry by its number, without a number the one that speaks."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.models.bundle import Bundle, RefusedBundle
from shopfloor.services.brain.cards import opened
from shopfloor.services.inference.asked import answers, metadata, told
from shopfloor.services.inference.message import Request, write
from shopfloor.services.inference.refusal import InferenceRefused
from shopfloor.services.registry import ModelUnknown, Registry, Version
from shopfloor.services.registry.words import EVERYWHERE

_MOST_BYTES: Final = 256 * 1024 * 1024


@dataclass(slots=True)
class Shelf:
    """Versions of a registry, kept open by when they were asked last, up to 256 MB. Any thread may ask."""

    registry: Registry
    _open: OrderedDict[str, Bundle] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ready(self) -> bool:
        """Whether the bundle of every model that speaks can be opened."""
        names = list(self.registry.state.versions)
        speaking = [version for name in names if (version := self._champion(name)) is not None]
        return all(self._can_open(version) for version in speaking)

    def is_ready(self, name: str, number: str | None) -> bool:
        """Whether a version opens and does not abstain."""
        version = self._version(name, number)
        return version.card.state == "ready" and self._can_open(version)

    def metadata(self, name: str, number: str | None) -> Mapping[str, Any]:
        """What a version wants and gives, and the numbers of all."""
        versions = [version.number for version in self.registry.state.versions.get(name, ())]
        return metadata(self._opened(self._version(name, number)).manifest, versions)

    def infer(self, name: str, number: str | None, request: Request) -> tuple[bytes, dict[str, str]]:
        """Ask a version."""
        version = self._version(name, number)
        bundle = self._opened(version)
        found = answers(bundle, request.tensors, request.outputs)
        said = {"model_name": name, "model_version": str(version.number), "parameters": told(bundle.manifest)}
        return write(request, said, found)

    def _version(self, name: str, number: str | None) -> Version:
        try:
            if number is not None:
                return self.registry.state.version(name, int(number) if number.isdecimal() else 0)
            self.registry.state.version(name, 1)
        except ModelUnknown as problem:
            raise InferenceRefused(str(problem), 404) from None
        version = self._champion(name)
        if version is None:
            several = len(self.registry.state.versions[name])
            raise InferenceRefused(f"No version of {name} speaks yet: name one of its versions, 1 to {several}.", 404)
        return version

    def _champion(self, name: str) -> Version | None:
        """The champion of everything, else the version that speaks for most assets."""
        everywhere = self.registry.state.place(name, EVERYWHERE).champion
        if everywhere is not None:
            return self.registry.state.version(name, everywhere)
        speaking = (self.registry.resolve(name, asset).live for asset in self.registry.fleet())
        found = Counter(version for version in speaking if version is not None).most_common(1)
        return found[0][0] if found else None

    def _can_open(self, version: Version) -> bool:
        try:
            self._opened(version)
        except InferenceRefused:
            return False
        return True

    def _opened(self, version: Version) -> Bundle:
        with self._lock:
            bundle = self._open.get(version.sha) or self._read(version)
            self._open[version.sha] = bundle
            self._open.move_to_end(version.sha)
            while len(self._open) > 1 and sum(one.size for one in self._open.values()) > _MOST_BYTES:
                self._open.popitem(last=False)
            return bundle

    def _read(self, version: Version) -> Bundle:
        fault = self.registry.bundles.fault(version.sha)
        if not fault:
            try:
                return opened(self.registry.bundles.at(version.sha), version.card.target)
            except RefusedBundle as problem:
                fault = str(problem)
        raise InferenceRefused(f"Version {version.number} of {version.name} cannot be used: {fault}", 503)
