"""Bundles by the address of their content: a folder named by the SHA-256 of all that is in it, written once."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.models.sealing.folder import SUFFIX, read, write
from shopfloor.plant.errors import StoreError
from shopfloor.services.registry.words import Refused

_MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_FILES: Final = 64
_UNPACKED: Final = "unpacked-"


def address(folder: Path) -> str:
    """The SHA-256 over the names and contents of a bundle's files; what is no flat folder raises `Refused`."""
    return hashlib.sha256("\n".join(f"{name} {_sha(folder / name)}" for name in _names(folder)).encode()).hexdigest()


def _names(folder: Path) -> list[str]:
    try:
        found = sorted(folder.iterdir())
        flat = all(path.is_file() and not path.is_symlink() for path in found)
        size = sum(path.lstat().st_size for path in found)
    except OSError as problem:
        raise Refused(
            f"The bundle {folder} cannot be read ({problem}): name the folder of a sealed bundle."
        ) from problem
    if not found or not flat or len(found) > _MOST_FILES or size > _MOST_BYTES:
        raise Refused(
            f"{folder} is no sealed bundle: expected a folder of at most {_MOST_FILES} plain files,"
            f" {_MOST_BYTES >> 20} MB together."
        )
    return [path.name for path in found]


def _sha(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Bundles:
    """The folder of all bundles. A bundle in it is whole: it gets its name when all of it is on disk."""

    folder: Path

    def take(self, source: Path) -> str:
        """Keep a copy of a bundle and answer its address; the same content is kept once."""
        sha = address(source)
        if not self.at(sha).is_dir():
            self._copy(source, sha)
        return sha

    @contextmanager
    def as_folder(self, bundle: Path) -> Iterator[Path]:
        """A bundle as a folder, as long as the block runs: itself, or what its one file holds."""
        if bundle.suffix != SUFFIX or bundle.is_dir():
            yield bundle
            return
        files = read(bundle)
        with tempfile.TemporaryDirectory(prefix=_UNPACKED, dir=self._there()) as at:
            try:
                folder = write(Path(at) / bundle.stem, files)
            except OSError as problem:
                raise StoreError(
                    f"The bundle {bundle.name} could not be kept ({problem}): free some disk."
                ) from problem
            yield folder

    @contextmanager
    def arrived(self, content: bytes) -> Iterator[Path]:
        """The bytes of a `.shopfloor` file as one, as long as the block runs."""
        with tempfile.TemporaryDirectory(prefix=_UNPACKED, dir=self._there()) as at:
            try:
                file = Path(at) / f"upload{SUFFIX}"
                file.write_bytes(content)
            except OSError as problem:
                raise StoreError(f"The bundle could not be kept ({problem}): free some disk.") from problem
            yield file

    def tidy(self) -> None:
        """Remove what was being unpacked when a process was killed."""
        for left in self.folder.glob(f"{_UNPACKED}*"):
            shutil.rmtree(left, ignore_errors=True)

    def at(self, sha: str) -> Path:
        """Where the bundle of an address is, or would be."""
        return self.folder / sha

    def fault(self, sha: str) -> str:
        """Empty when the bundle is what it was, or one sentence."""
        try:
            same = address(self.at(sha)) == sha
        except Refused as problem:
            return str(problem)
        return "" if same else f"The bundle {sha[:12]} is not what was submitted: restore it from a backup."

    def _there(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def _copy(self, source: Path, sha: str) -> None:
        fresh = self.folder / f"{sha}.new"
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            for name in _names(source):
                shutil.copyfile(source / name, fresh / name)
                _sync(fresh / name)
            if address(fresh) != sha:
                raise Refused(f"The bundle {source} changed while it was read: submit it again.")
            _sync(fresh)
            fresh.rename(self.at(sha))
            _sync(self.folder)
        except OSError as problem:
            raise StoreError(f"The bundle {source} could not be kept ({problem}): free some disk.") from problem


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
