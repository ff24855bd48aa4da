"""An alias of MLflow, looked at again and again: where it moves, the bundle of that version is proposed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from shopfloor.models.bundle import Manifest, RefusedBundle, load_files
from shopfloor.models.client.server import Server
from shopfloor.models.sealing.canonical import unpack
from shopfloor.models.sealing.folder import LARGEST
from shopfloor.plant import QuestionError
from shopfloor.services.mlflow.refusal import AliasRefused
from shopfloor.services.mlflow.tracking import ModelVersion, Tracking

SUFFIX: Final = ".shopfloor"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which alias of which registered model is watched, and where and in whose name its bundles are proposed."""

    name: str
    alias: str
    scope: str
    by: str


@dataclass(slots=True)
class Watch:
    """One alias. `look` answers what it did in a sentence, "" when nothing has moved."""

    tracking: Tracking
    wish: Wish
    server: Server
    _seen: str | None = field(default=None, init=False)

    def look(self) -> str:
        """Look once. A version that cannot be proposed raises `QuestionError`, once; after `StoreError` look again.

        What the alias names at the first look is proposed unless the server has had it before: a watcher that is
        started again does not repeat what a person has decided on meanwhile.
        """
        version = self.tracking.at(self.wish.name, self.wish.alias)
        if version.number == self._seen:
            return ""
        try:
            content, manifest = self._proved(version)
            said = self._proposed(version, content, manifest)
        except QuestionError:
            self._seen = version.number
            raise
        self._seen = version.number
        return said

    def _proved(self, version: ModelVersion) -> tuple[bytes, Manifest]:
        """The bundle of a version, after everything about it was proved; its author's own model is never opened."""
        path = _bundle_of(version, self.tracking.files(version.run) if version.run else {})
        content = self.tracking.content(version.run, path, LARGEST)
        try:
            return content, load_files(unpack(content), path).manifest
        except (RefusedBundle, ValueError) as problem:
            raise AliasRefused(f"{_called(version)} is not proposed: {problem}") from problem

    def _proposed(self, version: ModelVersion, content: bytes, manifest: Manifest) -> str:
        alias = self.wish.alias
        if self._seen is None and _is_known(self.server.get("/registry"), manifest):
            return f"{_called(version)} came before, as {manifest.name}: it is sent again when {alias} moves."
        why = f"MLflow: {alias} of {version.name} moved to version {version.number} (run {version.run})."
        asked = {"scope": self.wish.scope, "by": self.wish.by, "why": why[:500]}
        told = self.server.post("/registry/bundles", asked, content)
        return f"{_called(version)} is version {told['number']} of {told['name']}: {told['sentence']}"


def _bundle_of(version: ModelVersion, files: Collection[str]) -> str:
    """The file to take: `NAME.shopfloor`, else the only one there is.

    >>> _bundle_of(ModelVersion("wear", "3", "r"), ["a.shopfloor", "wear.shopfloor", "model.pkl"])
    'wear.shopfloor'
    """
    sealed = sorted(path for path in files if path.endswith(SUFFIX))
    if f"{version.name}{SUFFIX}" in sealed:
        return f"{version.name}{SUFFIX}"
    if len(sealed) > 1:
        raise AliasRefused(
            f"The run of {_called(version)} has {len(sealed)} {SUFFIX} files: name one of them {version.name}{SUFFIX}."
        )
    if not sealed:
        raise AliasRefused(
            f"{_called(version)} has no {SUFFIX} file in its run, and a pickle is never opened here: log one there with"
            f" mlflow.log_artifact(sealed.save({f'{version.name}{SUFFIX}'!r}))."
        )
    return sealed[0]


def _called(version: ModelVersion) -> str:
    return f"MLflow's version {version.number} of {version.name}"


def _is_known(models: Any, manifest: Manifest) -> bool:
    return any(
        model["name"] == manifest.name and any(one.get("identity") == manifest.sha for one in model["versions"])
        for model in models
    )
