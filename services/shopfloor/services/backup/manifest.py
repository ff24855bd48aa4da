"""The manifest: what a backup consists of. A folder or tar without one is no backup."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import msgspec
from shopfloor.plant import StoreError
from shopfloor.services.historian.care.contents import Contents

MANIFEST: Final = "manifest.json"
STORE: Final = "store"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: its name below the data folder, size, SHA-256 (hex), time of change (UTC ns), and rows of a segment."""

    name: str
    bytes: int
    sha256: str
    mtime_ns: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup: when it was taken (ISO 8601, UTC), by which version, of which store, and every file.

    `missing` names the files that the store had lost already.
    """

    format: int
    taken: str
    version: str
    secrets: bool
    contents: Contents
    missing: tuple[str, ...]
    files: tuple[Entry, ...]

    def to_bytes(self) -> bytes:
        """As JSON, one file a line."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> Manifest:
        """Read what `to_bytes` wrote; anything else raises `StoreError`."""
        try:
            manifest = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise StoreError(f"{where} is damaged ({problem}): use another backup.") from problem
        if manifest.format != FORMAT:
            raise StoreError(f"{where} has format {manifest.format}, this Shopfloor knows {FORMAT}: update Shopfloor.")
        for entry in manifest.files:
            if not _is_inside(entry.name):
                raise StoreError(f"{where} names a file outside of the backup ({entry.name!r}): use another backup.")
        return manifest


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\0" not in name
