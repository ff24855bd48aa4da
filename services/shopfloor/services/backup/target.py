"""Where a backup is written: a folder, or one tar file. The manifest comes last, so half a backup is none."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from shopfloor.plant import StoreError
from shopfloor.services.backup.manifest import MANIFEST, Entry, Manifest
from shopfloor.services.historian.segments.segment import sync

_PIECE: Final = 1 << 20
Tell = Callable[[int], None]


class Target(Protocol):
    """A place for files; `finish` makes a backup of them."""

    def put(self, name: str, data: BinaryIO, size: int, mtime_ns: int, rows: int = 0) -> Entry:
        """Write `size` bytes of `data`."""
        ...

    def share(self, earlier: Path, entry: Entry) -> bool:
        """Take a file over from an earlier backup; False where that cannot be."""
        ...

    def finish(self, manifest: Manifest) -> None:
        """Make everything durable, then write the manifest."""
        ...


class FolderTarget(AbstractContextManager["FolderTarget"]):
    """A new folder."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StoreError(
                f"{folder} is there and not empty: name a new folder; an unfinished backup can be deleted."
            )
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder, self._tell = folder, tell
        self._folders = {folder}

    def __exit__(self, *_: object) -> None:
        """What was written stays: without a manifest it is no backup."""

    def put(self, name: str, data: BinaryIO, size: int, mtime_ns: int, rows: int = 0) -> Entry:
        """Write a file and sync it."""
        path = self._place(name)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            reader = _Hashed(data, size, self._tell)
            while piece := reader.read(_PIECE):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        os.utime(path, ns=(mtime_ns, mtime_ns))
        return Entry(name, size, reader.digest(name), mtime_ns, rows)

    def share(self, earlier: Path, entry: Entry) -> bool:
        """Link a file of an earlier backup on the same disk."""
        source = earlier / entry.name
        try:
            if source.stat().st_size != entry.bytes:
                return False
            self._place(entry.name).hardlink_to(source)
        except OSError:
            return False
        self._tell(entry.bytes)
        return True

    def finish(self, manifest: Manifest) -> None:
        """Sync the folders, then give the manifest its name."""
        for folder in self._folders:
            sync(folder)
        part = self._folder / f"{MANIFEST}.part"
        part.write_bytes(manifest.to_bytes())
        sync(part)
        part.rename(self._folder / MANIFEST)
        sync(self._folder)

    def _place(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._folders |= {self._folder / parent for parent in path.relative_to(self._folder).parents}
        return path


class TarTarget(AbstractContextManager["TarTarget"]):
    """A new tar file, without compression: segments are compressed already."""

    def __init__(self, file: Path, tell: Tell) -> None:
        if file.exists():
            raise StoreError(f"{file} is there already: name a new file.")
        self._file, self._tell = file, tell
        self._part = file.with_name(f"{file.name}.part")
        self._out = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._tar = tarfile.open(fileobj=self._out, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 (closed by exit)

    def __exit__(self, *_: object) -> None:
        """Without a manifest nothing is left."""
        self._out.close()
        self._part.unlink(missing_ok=True)

    def put(self, name: str, data: BinaryIO, size: int, mtime_ns: int, rows: int = 0) -> Entry:
        """Append a file."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, mtime_ns // 1_000_000_000
        reader = _Hashed(data, size, self._tell)
        self._tar.addfile(info, reader)
        return Entry(name, size, reader.digest(name), mtime_ns, rows)

    def share(self, earlier: Path, entry: Entry) -> bool:
        """Never: a tar stands alone."""
        return False

    def finish(self, manifest: Manifest) -> None:
        """Append the manifest, sync, and give the file its name."""
        data = manifest.to_bytes()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))
        self._tar.close()
        self._out.flush()
        os.fsync(self._out.fileno())
        self._part.rename(self._file)
        sync(self._file.parent)


class _Hashed(io.RawIOBase):
    """Reads exactly `size` bytes of a file, and hashes them on the way."""

    def __init__(self, data: BinaryIO, size: int, tell: Tell) -> None:
        self._data, self._left, self._tell = data, size, tell
        self._hash = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        piece = self._data.read(self._left if size < 0 else min(size, self._left))
        self._hash.update(piece)
        self._left -= len(piece)
        self._tell(len(piece))
        return piece

    def digest(self, name: str) -> str:
        """SHA-256 of everything; a file that was shorter than it should be raises `StoreError`."""
        if self._left:
            raise StoreError(f"{name} is {self._left} bytes shorter than it was a moment ago: check the disk.")
        return self._hash.hexdigest()
