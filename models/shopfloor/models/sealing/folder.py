"""Read and write the files of a bundle: a folder, or one `.shopfloor` file with the same files in it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shopfloor.models.sealing.canonical import pack, unpack
from shopfloor.models.sealing.refused import RefusedBundle

Files = Mapping[str, bytes]
SUFFIX: Final = ".shopfloor"
MANIFEST: Final = "manifest.json"
LARGEST: Final = 64 * 1024 * 1024
_MOST_FILES: Final = 64
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read(path: Path) -> dict[str, bytes]:
    """Every file of a bundle by its name, each read once; raises `RefusedBundle`."""
    try:
        files = unpack(_content(path)) if not path.is_dir() else _folder(path)
    except (OSError, ValueError) as problem:
        why = problem.strerror or problem if isinstance(problem, OSError) else problem
        raise RefusedBundle(f"The bundle {path.name} cannot be read: {why}; copy it again, or train again.") from None
    for name in files:
        if not allowed(name):
            raise RefusedBundle(f"The bundle {path.name} holds {name!r}: only .json, .tl and .npz are allowed in it.")
    return files


def write(path: Path, files: Files) -> Path:
    """Put a bundle at `path` in place of the one that was there; a name that ends in `.shopfloor` gives one file."""
    fresh = path.with_name(path.name + ".new")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    _remove(fresh)
    if path.suffix == SUFFIX:
        fresh.write_bytes(pack(dict(sorted(files.items()))))
        return fresh.replace(path)
    fresh.mkdir()
    for name, data in files.items():
        (fresh / name).write_bytes(data)
    _remove(path)
    return fresh.rename(path)


def allowed(name: str) -> bool:
    """Whether a bundle may hold a file of this name.

    >>> allowed("value.tl"), allowed("../value.tl"), allowed("setup.py")
    (True, False, False)
    """
    stem, _, kind = name.rpartition(".")
    return name == MANIFEST or (stem.replace("_", "").replace("-", "").isalnum() and kind in ("tl", "npz"))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _folder(path: Path) -> dict[str, bytes]:
    held = sorted(path.iterdir())
    if len(held) > _MOST_FILES:
        raise ValueError(f"it holds {len(held)} files")
    if sum(file.lstat().st_size for file in held) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MB")
    return {file.name: _content(file) for file in held}


def _content(path: Path) -> bytes:
    """The bytes of a regular file; a link, a pipe or a file that is too large is not read."""
    handle = os.open(path, _OPEN)
    with open(handle, "rb") as file:  # noqa: PTH123 (an open descriptor)
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path.name} is no file")
        if status.st_size > LARGEST:
            raise ValueError(f"{path.name} is larger than {LARGEST >> 20} MB")
        return file.read(LARGEST)
