"""Reading a backup back: a folder, or one tar file."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from shopfloor.plant import StoreError
from shopfloor.services.backup.manifest import MANIFEST, Entry, Manifest

_PIECE: Final = 1 << 20
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Backup:
    """A backup that is open for reading."""

    place: Path
    manifest: Manifest
    read: Callable[[str], IO[bytes]]

    def faults(self, tell: Tell = lambda *_: None) -> list[str]:
        """A sentence for each file that is missing or not what was written."""
        done, total = 0, sum(entry.bytes for entry in self.manifest.files)
        found = []
        for entry in self.manifest.files:
            if fault := self._fault(entry):
                found.append(fault)
            done += entry.bytes
            tell(done, total)
        return found

    def copy(self, entry: Entry, write: Callable[[bytes], object]) -> None:
        """Hand a file on; other bytes than were written raise `StoreError` at their end."""
        found = hashlib.sha256()
        with self.read(entry.name) as data:
            while piece := data.read(_PIECE):
                found.update(piece)
                write(piece)
        if found.hexdigest() != entry.sha256:
            raise StoreError(f"{self._told(entry)} is damaged: its SHA-256 is another than when it was written.")

    def _fault(self, entry: Entry) -> str:
        try:
            self.copy(entry, lambda _: None)
        except StoreError as problem:
            return str(problem)
        except (OSError, KeyError, tarfile.TarError) as problem:
            return f"{self._told(entry)} cannot be read ({problem})."
        return ""

    def _told(self, entry: Entry) -> str:
        rows = f" ({entry.rows:,} values)" if entry.rows else ""
        return f"{entry.name} of {self.place}{rows}"


@contextmanager
def open_backup(place: Path) -> Iterator[Backup]:
    """Open a backup; what is none raises `StoreError`."""
    if place.is_dir():
        file = place / MANIFEST
        if not file.is_file():
            raise StoreError(f"{place} is no backup, or an unfinished one: it has no {MANIFEST}.")
        yield Backup(place, Manifest.from_bytes(file.read_bytes(), str(file)), lambda name: (place / name).open("rb"))
        return
    try:
        tar = tarfile.open(place)  # noqa: SIM115 (closed below)
    except (OSError, tarfile.TarError) as problem:
        raise StoreError(f"{place} is no backup ({problem}): name the folder or tar file of one.") from problem
    with tar:
        yield Backup(place, _manifest(tar, place), lambda name: _member(tar, name))


def _manifest(tar: tarfile.TarFile, place: Path) -> Manifest:
    try:
        data = _member(tar, MANIFEST).read()
    except (KeyError, tarfile.TarError, OSError) as problem:
        raise StoreError(f"{place} is no backup, or an unfinished one: it has no {MANIFEST} ({problem}).") from problem
    return Manifest.from_bytes(data, f"{MANIFEST} of {place}")


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    data = tar.extractfile(name)
    if data is None:
        raise KeyError(f"{name} is no file")
    return data
