"""Pins: hard links that keep the files of a store for one process while compaction and retention go on."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shopfloor.plant import StoreError

_PINS: Final = "pins"
_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class ReadOnlyError(StoreError):
    """The disk is read-only: nothing can be pinned, and nothing needs to be."""


class Pin:
    """A folder of links to files of `store`, under the names that they have there."""

    def __init__(self, store: Path, folder: Path) -> None:
        self.store, self.folder = store, folder
        self._kept: set[Path] = set()

    def keep(self, path: Path) -> bool:
        """Keep a file of the store; False when it is gone."""
        if path in self._kept:
            return True
        link = self.folder / path.relative_to(self.store)
        try:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(path)
        except FileNotFoundError:
            return False
        except OSError as problem:
            raise _unwilling(self.store, problem) from problem
        self._kept.add(path)
        return True


@contextmanager
def pinning(store: Path) -> Iterator[Pin]:
    """A pin that goes with the block, or, when this process is killed, with the next `sweep`."""
    try:
        with _locked(store / _PINS, wait=True):
            _sweep(store)
            folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=store / _PINS))
            descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as problem:
        raise _unwilling(store, problem) from problem
    try:
        yield Pin(store, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep(store: Path) -> None:
    """Delete the pins of processes that are gone."""
    if (store / _PINS).is_dir():
        with _locked(store / _PINS, wait=True):
            _sweep(store)


def _sweep(store: Path) -> None:
    for folder in (store / _PINS).iterdir():
        try:
            with _locked(folder, wait=False):
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue


@contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def _unwilling(store: Path, problem: OSError) -> StoreError:
    if problem.errno == errno.EROFS:
        return ReadOnlyError(f"{store} lies on a disk that is read-only.")
    if problem.errno in _NO_LINKS:
        return StoreError(
            f"The disk of {store} knows no hard links ({problem.strerror}), which hold its files still:"
            " put the store on a disk of ext4, XFS, Btrfs or ZFS."
        )
    return StoreError(f"{store} cannot be held still ({problem}): run this as the user of its server.")
