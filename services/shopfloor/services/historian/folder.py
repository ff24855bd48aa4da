"""The store's folder: one process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from shopfloor.plant import StoreError


class FolderLock:
    """Held while the store is open; the system lets go of it when the process dies."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as problem:
            raise StoreError(
                f"{folder} cannot be written ({problem.strerror}): give the store a folder it may write."
            ) from problem
        self._acquire(folder)

    def release(self) -> None:
        """Let another process open the folder."""
        os.close(self._file)

    def _acquire(self, folder: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            holder = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreError(
                f"{folder} is in use by process {holder}: stop that server or choose another data folder."
            ) from problem
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)
