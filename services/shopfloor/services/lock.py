"""A data folder belongs to one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shopfloor.plant import StoreError


@contextmanager
def owned(folder: Path, name: str) -> Iterator[Path]:
    """Own a folder while the block runs; it is made when it is missing. Another owner raises `StoreError`."""
    path = folder / f"{name}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as problem:
        raise StoreError(
            f"The folder {folder} cannot be written ({problem.strerror}): choose another one with --data."
        ) from problem
    try:
        _take(descriptor, folder)
        yield folder
    finally:
        os.close(descriptor)


def check_space(folder: Path, needed: int) -> None:
    """Refuse to start on a disk that would be full soon."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"The disk of {folder} has {free >> 20} MB left, {needed >> 20} MB are needed:"
            " free some space, or choose another folder with --data."
        )


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        other = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise StoreError(
            f"The folder {folder} is in use by another Shopfloor (process {other}):"
            " stop that one, or choose another folder with --data."
        ) from problem
    with suppress(OSError):  # the number is for people; on a full disk the lock holds without it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
