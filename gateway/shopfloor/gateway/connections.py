"""The sources of a gateway: those of its plant file, and those that were made on a page.

A connection made on a page is one file in the gateway's data folder, written exactly as the `sources` of a plant file:
it can be copied into one, and a part of one can be brought in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml
from shopfloor.plant import ConfigError, StoreError
from shopfloor.plant.config import PlantConfig, SourceConfig, load, load_sources

_FOLDER: Final = "connections"
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Connections:
    """Reads a plant file together with the files of `<data>/connections`; writes only the latter."""

    plant_file: Path
    data: Path

    @property
    def folder(self) -> Path:
        """Where the connections of the pages lie."""
        return self.data / _FOLDER

    def load(self) -> PlantConfig:
        """The plant with all sources; `ConfigError` has a line for each problem."""
        config = load(self.plant_file)
        return replace(config, sources=_unique([*config.sources, *self._made()]))

    def signature(self) -> Signature:
        """Changes when any of the files does."""
        files = [self.plant_file, *self._files()]
        return tuple((str(file), *_stamp(file)) for file in files)

    def is_made_here(self, name: str) -> bool:
        """Whether a connection of that name was made on a page."""
        return self._file(name).is_file()

    def save(self, text: str) -> SourceConfig:
        """Keep the one source of a text, in place of one of the same name; `ConfigError` when it is not one."""
        source = one_source(text)
        file = self._file(source.name)
        part = file.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(file)
        except OSError as problem:
            raise StoreError(
                f"The connection cannot be written to {file} ({problem.strerror}): free or unlock the disk."
            ) from problem
        return source

    def remove(self, name: str) -> None:
        """Forget a connection that was made on a page."""
        if not self.is_made_here(name):
            raise ConfigError(
                f"The connection {name!r} was not made on a page: take it out of {self.plant_file.name} instead."
            )
        self._file(name).unlink()

    def text(self, source: SourceConfig) -> str:
        """A source as it is written: the file of a page, or the part of the plant file that says the same."""
        with suppress(OSError):
            return self._file(source.name).read_text("utf-8")
        entry = {"name": source.name, "kind": source.kind, **source.given}
        return str(yaml.safe_dump({"sources": [entry]}, sort_keys=False, allow_unicode=True, width=120))

    def _file(self, name: str) -> Path:
        if not _SAFE.fullmatch(name):
            raise ConfigError(
                f"{name[:80]!r} cannot name a connection: use up to 63 letters, digits, '.', '_' and '-'."
            )
        return self.folder / f"{name}.yaml"

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.yaml"))

    def _made(self) -> list[SourceConfig]:
        return [source for file in self._files() for source in load_sources(_read(file), f"{_FOLDER}/{file.name}")]


def one_source(text: str) -> SourceConfig:
    """The one source of a text; `ConfigError` when there are more, or when it cannot be read."""
    sources = load_sources(text, "text")
    if len(sources) != 1:
        raise ConfigError(
            f"The text has {len(sources)} sources: save them one by one, or put them into the plant file."
        )
    return sources[0]


def _unique(sources: Sequence[SourceConfig]) -> tuple[SourceConfig, ...]:
    known: dict[str, SourceConfig] = {}
    for source in sources:
        if source.name in known:
            first, second = known[source.name].document.name, source.document.name
            raise ConfigError(f"{second}:1:1: the source {source.name!r} stands in {first} too: rename one of them.")
        known[source.name] = source
    return tuple(known.values())


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{file}:1:1: this file cannot be read ({problem}): remove or mend it.") from problem


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
